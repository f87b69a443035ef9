"""The seal: what was not sealed, or was changed afterwards, does not prove a governance item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.analysis import analyze_bundle
from tests.core.scorecard.passing import passing_drill, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.scorecard.passing import Scorecard

REVIEW = "governance:IAM review"


def seal_checks(scorecard: Scorecard) -> tuple[str, str]:
    """The verdicts on the seal and on the governance item."""
    found = verdicts(scorecard)
    return found["evidence_sealed"], found[REVIEW]


def test_an_unsealed_bundle_proves_no_review(folder: Path) -> None:
    """Before sealing, files could change unnoticed: the required item is inconclusive, and so is the drill."""
    scorecard = passing_drill().judge(folder, sealed=False)
    assert seal_checks(scorecard) == ("not_applicable", "inconclusive")
    assert (scorecard["verdict"], scorecard["drill"]["seal"]) == ("inconclusive", "unsealed")


def test_an_item_that_is_not_required_does_not_ask_for_a_seal(folder: Path) -> None:
    """The same bundle passes where the item is not required."""
    drill = passing_drill()
    drill.definition["governance"][0]["required"] = False
    scorecard = drill.judge(folder, sealed=False)
    assert seal_checks(scorecard) == ("not_applicable", "not_applicable")
    assert scorecard["verdict"] == "pass"


def test_an_attachment_changed_after_sealing_fails(folder: Path) -> None:
    """A review that was rewritten after sealing fails the item and the seal."""
    root = passing_drill().write(folder)
    (root / "attachments" / "iam-review.md").write_text("reviewed by nobody\n", "utf-8")
    scorecard = analyze_bundle(root)
    assert seal_checks(scorecard) == ("fail", "fail")
    assert scorecard["verdict"] == "fail"


def test_an_attachment_written_again_with_the_same_bytes_is_unchanged(folder: Path) -> None:
    """A seal is about bytes, not about times of files."""
    root = passing_drill().write(folder)
    path = root / "attachments" / "iam-review.md"
    path.write_bytes(path.read_bytes())
    assert analyze_bundle(root)["verdict"] == "pass"


def test_an_attachment_deleted_after_sealing_proves_nothing(folder: Path) -> None:
    """A review that is gone fails the seal, and leaves the item open."""
    root = passing_drill().write(folder)
    (root / "attachments" / "iam-review.md").unlink()
    assert seal_checks(analyze_bundle(root)) == ("fail", "inconclusive")


def test_evidence_changed_after_sealing_fails(folder: Path) -> None:
    """A definition that was loosened after sealing fails the seal, whatever it says."""
    root = passing_drill().write(folder)
    definition = root / "drill.yaml"
    definition.write_text(definition.read_text("utf-8").replace("rto_seconds: 120", "rto_seconds: 500"), "utf-8")
    scorecard = analyze_bundle(root)
    assert verdicts(scorecard)["evidence_sealed"] == "fail"
    assert scorecard["verdict"] == "fail"


def test_results_are_no_part_of_the_seal(folder: Path) -> None:
    """Analyzing a sealed bundle, and deleting its results, leaves it sealed."""
    root = passing_drill().write(folder)
    assert analyze_bundle(root)["drill"]["seal"] == "sealed"
    assert analyze_bundle(root)["drill"]["seal"] == "sealed"
