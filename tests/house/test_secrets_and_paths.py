"""Nothing of one person's machine, of one company's network, or of anybody's secrets is in the tree."""

from __future__ import annotations

import re

import pytest

from tests.house.tracked_files import REPOSITORY, tracked_files

MEGABYTE = 1_000_000
MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:home|root|work|Users)/\w")
TEMPORARY_PATH = re.compile(rb"(?<![\w.~-])/tmp/\w")
REGISTRY = re.compile(
    rb"(?:pypi|pythonhosted|npmjs|anaconda)\.(?:org|com)\b|--(?:extra-)?index-url|\bindex_url\b|PIP_(?:EXTRA_)?INDEX_URL"
    rb"|/artifactory[/]|/simple[/]"
)
SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abp]-[0-9A-Za-z-]{10,}"
)


def files_with(pattern: re.Pattern[bytes], *, in_tests: bool = True) -> list[str]:
    """`path: what was found` for every tracked file in which `pattern` occurs."""
    return [
        f"{path}: {found[0].decode(errors='replace')}"
        for path in tracked_files()
        if in_tests or path.parts[0] != "tests"
        if (found := pattern.search((REPOSITORY / path).read_bytes()))
    ]


def test_no_machine_paths() -> None:
    """No file names a place that exists on one machine only."""
    assert not files_with(MACHINE_PATH)


def test_no_temporary_paths_outside_tests() -> None:
    """Temporary folders are asked for, not spelled out."""
    assert not files_with(TEMPORARY_PATH, in_tests=False)


def test_no_registry_addresses() -> None:
    """Where packages come from is the reader's own setting."""
    assert not files_with(REGISTRY)


def test_no_secrets() -> None:
    """No file holds a private key or a token."""
    assert not files_with(SECRET)


def test_sample_data_is_small() -> None:
    """A clone stays quick: sample data is at most 8 MB."""
    sizes = [(REPOSITORY / path).stat().st_size for path in tracked_files() if path.parts[0] == "sample_data"]
    assert sum(sizes) <= 8 * MEGABYTE


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, b"see /" + b"home/ada/drill"),
        (MACHINE_PATH, b'"/' + b'root/x"'),
        (TEMPORARY_PATH, b"open('/" + b"tmp/x')"),
        (REGISTRY, b"https://" + b"pypi" + b".org/x"),
        (SECRET, b"-----BEGIN RSA " + b"PRIVATE KEY-----"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern: re.Pattern[bytes], text: bytes) -> None:
    """Each pattern is found in a text that has it."""
    assert pattern.search(text)


@pytest.mark.parametrize("text", [b"docs/work/x", b"~/home/x", b"bundle/tmp/x", b"a/root/b"])
def test_the_patterns_let_relative_paths_pass(text: bytes) -> None:
    """Folders of these names inside a project are no machine paths."""
    assert not MACHINE_PATH.search(text)
    assert not TEMPORARY_PATH.search(text)
