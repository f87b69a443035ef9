"""Verifying: any difference between a bundle and its manifest is found and named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.seal import SealStatus, seal_bundle, sealed_state, verify_bundle
from tests.core.bundle.folders import BundleFolder, good_row, told

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def sealed(bundle: BundleFolder) -> BundleFolder:
    """A sealed bundle with a definition, two tables and an attachment."""
    for name in ("acks", "commits"):
        bundle.write(name, good_row(name))
    bundle.attach("review.md")
    seal_bundle(bundle.root)
    return bundle


def test_unaltered(sealed: BundleFolder) -> None:
    """A sealed bundle verifies, also after it was opened and analyzed."""
    open_bundle(sealed.root)
    (sealed.root / "results").mkdir()
    (sealed.root / "results" / "ledger.parquet").write_bytes(b"derived")
    assert verify_bundle(sealed.root) == []
    assert sealed_state(sealed.root).status is SealStatus.SEALED


def test_never_sealed(bundle: BundleFolder) -> None:
    """A bundle without a manifest is unsealed, and verifying it says how to seal it."""
    assert sealed_state(bundle.root).status is SealStatus.UNSEALED
    assert "rto seal" in told(verify_bundle(bundle.root))


@pytest.mark.parametrize(
    "name",
    ["drill.yaml", "attachments/review.md", "evidence/acks/part-00000.parquet", "evidence/commits/part-00000.parquet"],
)
def test_one_flipped_bit(sealed: BundleFolder, name: str) -> None:
    """One bit anywhere in any file is found, and only that file is named."""
    path = sealed.root / name
    original = path.read_bytes()
    for position in {0, len(original) // 2, len(original) - 1, len(original) // 3}:
        path.write_bytes(original[:position] + bytes([original[position] ^ 1]) + original[position + 1 :])
        (problem,) = verify_bundle(sealed.root)
        assert problem.where == name
    path.write_bytes(original)
    assert verify_bundle(sealed.root) == []


def add_attachment(bundle: BundleFolder) -> str:
    """An attachment that came later."""
    bundle.attach("later.md")
    return "attachments/later.md: added after sealing"


def add_evidence(bundle: BundleFolder) -> str:
    """Evidence that came later."""
    bundle.write("events", good_row("events"))
    return "evidence/events/a.parquet: added after sealing"


def remove_evidence(bundle: BundleFolder) -> str:
    """Evidence that is gone."""
    (bundle.folder("acks") / "part-00000.parquet").unlink()
    return "evidence/acks/part-00000.parquet: missing"


def remove_definition(bundle: BundleFolder) -> str:
    """No definition any more."""
    (bundle.root / "drill.yaml").unlink()
    return "drill.yaml: missing"


def change_definition(bundle: BundleFolder) -> str:
    """A softer objective, after the fact."""
    path = bundle.root / "drill.yaml"
    path.write_text(path.read_text().replace("60", "6000"))
    return "drill.yaml: changed: SHA-256"


def rewrite_evidence(bundle: BundleFolder) -> str:
    """Other rows in a file of the same name."""
    bundle.write("acks", good_row("acks", 5), name="part-00000.parquet")
    return "evidence/acks/part-00000.parquet: changed: SHA-256"


def replace_by_link_out(bundle: BundleFolder) -> str:
    """A link to a copy elsewhere."""
    path = bundle.root / "attachments" / "review.md"
    path.rename(bundle.root.parent / "review.md")
    path.symlink_to(bundle.root.parent / "review.md")
    return "attachments/review.md: a link out of the bundle"


def add_stray_folder(bundle: BundleFolder) -> str:
    """A folder that no table has."""
    bundle.folder("ackz")
    return "evidence/ackz: no such table"


@pytest.mark.parametrize(
    "alter",
    [
        add_attachment,
        add_evidence,
        remove_evidence,
        remove_definition,
        change_definition,
        rewrite_evidence,
        replace_by_link_out,
        add_stray_folder,
    ],
)
def test_altered(sealed: BundleFolder, alter: Callable[[BundleFolder], str]) -> None:
    """Every kind of change is named with its file, and the state is `altered`."""
    message = alter(sealed)
    assert message in told(verify_bundle(sealed.root))
    assert sealed_state(sealed.root).status is SealStatus.ALTERED


def test_everything_at_once(sealed: BundleFolder) -> None:
    """Several changes are all told."""
    for alter in (add_attachment, add_evidence, remove_evidence, change_definition):
        alter(sealed)
    assert len(verify_bundle(sealed.root)) == 4


def _without_files(manifest: dict[str, Any]) -> None:
    del manifest["files"]


def _other_version(manifest: dict[str, Any]) -> None:
    manifest["schema_version"] = 2


def _climbing_path(manifest: dict[str, Any]) -> None:
    manifest["files"][0]["path"] = "../secrets"


def _climbing_inside(manifest: dict[str, Any]) -> None:
    manifest["files"][0]["path"] = "attachments/../../secrets"


def _negative_size(manifest: dict[str, Any]) -> None:
    manifest["files"][0]["bytes"] = -1


def _other_rows(manifest: dict[str, Any]) -> None:
    manifest["files"][-1]["rows"] = 99


def _no_digest(manifest: dict[str, Any]) -> None:
    manifest["files"][0]["sha256"] = "x"


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (_without_files, "manifest.json, files"),
        (_other_version, "manifest.json, schema_version"),
        (_climbing_path, "manifest.json, files[0].path"),
        (_climbing_inside, "attachments/../../secrets: missing"),
        (_negative_size, "manifest.json, files[0].bytes"),
        (_other_rows, "manifest.json, evidence/commits/part-00000.parquet: "),
        (_no_digest, "manifest.json, files[0].sha256"),
    ],
)
def test_malformed_manifest(sealed: BundleFolder, spoil: Callable[[dict[str, Any]], None], where: str) -> None:
    """A manifest that is not one, or was edited, is a difference too, named by its place."""
    path = sealed.root / "manifest.json"
    manifest = json.loads(path.read_bytes())
    spoil(manifest)
    path.write_text(json.dumps(manifest))
    assert where in told(verify_bundle(sealed.root))
    assert sealed_state(sealed.root).status is SealStatus.ALTERED


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null"])
def test_manifest_that_is_no_json(sealed: BundleFolder, content: bytes) -> None:
    """A torn manifest is told as such and never taken for an unsealed bundle."""
    (sealed.root / "manifest.json").write_bytes(content)
    assert sealed_state(sealed.root).status is SealStatus.ALTERED
    assert told(verify_bundle(sealed.root)).startswith("manifest.json")
