"""The floors hold when the code runs, not only when it is read."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import rtoanalytics
import rtoanalytics_collectors
from tests.house.imports import imported_names

CORE_MODULES = [
    module.name
    for module in pkgutil.walk_packages(rtoanalytics.__path__, "rtoanalytics.")
    if not module.name.endswith("__main__")
]


def loaded_by(*modules: str) -> set[str]:
    """Top-level names in `sys.modules` of a new interpreter after it imported `modules`."""
    program = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


def test_the_core_loads_no_client_and_no_dashboard() -> None:
    """Importing every module loads neither the Kafka client nor Streamlit; below the command, no collectors either."""
    assert "rtoanalytics.schemas" in CORE_MODULES
    below = [name for name in CORE_MODULES if not name.startswith("rtoanalytics.cli")]
    assert not loaded_by(*below) & {"confluent_kafka", "streamlit", "rtoanalytics_collectors"}
    assert not loaded_by(*CORE_MODULES) & {"confluent_kafka", "streamlit"}


def test_help_comes_without_the_engine() -> None:
    """`rto --help` does not wait for the libraries that only an analysis needs."""
    heavy = {"duckdb", "polars", "altair", "pyarrow", "vl_convert", "confluent_kafka"}
    assert not loaded_by("rtoanalytics.cli.main") & heavy


def test_the_package_itself_is_light() -> None:
    """`import rtoanalytics` loads nothing beyond the standard library."""
    assert not loaded_by("rtoanalytics") & {"duckdb", "polars", "altair", "pyarrow", "pydantic", "typer", "yaml"}


def test_one_module_names_the_client() -> None:
    """Only `rtoanalytics_collectors/kafka/client.py` imports confluent_kafka, by statement or by name."""
    packages = [Path(package.__path__[0]) for package in (rtoanalytics, rtoanalytics_collectors)]
    files = [file for package in packages for file in package.rglob("*.py")]
    assert [file.name for file in files if "confluent_kafka" in imported_names(file)] == ["client.py"]
