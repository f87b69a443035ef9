"""What the code imports is what pyproject.toml declares: a lean installation has everything it needs."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest

from tests.house.imports import imported_names
from tests.house.tracked_files import PROJECT, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

OURS = {"rtoanalytics", "rtoanalytics_app", "rtoanalytics_collectors"}
EXTRAS: Mapping[str, list[str]] = PROJECT["optional-dependencies"]
DECLARED: Mapping[str, list[str]] = {
    "rtoanalytics": [*PROJECT["dependencies"], *EXTRAS["spark"]],
    "collectors/rtoanalytics_collectors": [*PROJECT["dependencies"], *EXTRAS["collect"]],
    "app/rtoanalytics_app": [*PROJECT["dependencies"], *EXTRAS["app"]],
}


def project_name(requirement: str) -> str:
    """The normal form of the name in `requirement`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0]).lower()


def foreign_imports(files: Iterable[Path]) -> set[str]:
    """Top-level names that files import and that are neither ours nor Python's."""
    names = {name for file in files for name in imported_names(file)}
    return names - OURS - sys.stdlib_module_names


@pytest.mark.parametrize("folder", DECLARED)
def test_imports_are_declared(folder: str) -> None:
    """Each library that a package imports is a dependency of its own, not one that another brings along by chance."""
    declared = {project_name(requirement) for requirement in DECLARED[folder]}
    providers = packages_distributions()
    undeclared = {
        name
        for name in foreign_imports((REPOSITORY / folder).rglob("*.py"))
        if not declared & {project_name(provider) for provider in providers.get(name, [])}
    }
    assert not undeclared


def test_dependencies_are_imported() -> None:
    """Each dependency is imported somewhere: what is no longer used is no longer asked of anybody."""
    files = [file for folder in DECLARED for file in (REPOSITORY / folder).rglob("*.py")]
    providers = packages_distributions()
    used = {project_name(provider) for name in foreign_imports(files) for provider in providers.get(name, [])}
    declared = {
        project_name(requirement)
        for requirement in [*PROJECT["dependencies"], *EXTRAS["collect"], *EXTRAS["app"], *EXTRAS["spark"]]
    }
    assert not declared - used


def test_every_dependency_says_why() -> None:
    """Each dependency in pyproject.toml carries a comment."""
    lines = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    start, end = lines.index("dependencies = ["), lines.index("[project.scripts]")
    asked = [line for line in lines[start:end] if line.startswith('    "') and '"rtoanalytics[' not in line]
    assert not [line for line in asked if "#" not in line]
