"""Where each format of a report is written."""

from __future__ import annotations

from pathlib import Path

from rtoanalytics.report.html import html_of, write_html
from rtoanalytics.report.markdown import markdown_of, write_markdown
from rtoanalytics.report.reading import read_scorecard, write_text
from rtoanalytics.results import FOLDER, SCORECARD, scorecard_bytes

STANDARD_OUTPUT = Path("-")


def write_report(bundle: Path, form: str, output: Path | None) -> tuple[str, Path | None]:
    """Write a report (`html`, `markdown` or `json`) and return its text and path; to `-` nothing is written.

    Without `output` it stands in results/; scorecard.json already does. Raises RtoError without results, or where the
    place cannot be written to.
    """
    if output is None:
        return "", _in_results(bundle, form)
    text = _text(bundle, form)
    if output == STANDARD_OUTPUT:
        return text, None
    write_text(output, text)
    return text, output


def _in_results(bundle: Path, form: str) -> Path:
    match form:
        case "html":
            return write_html(bundle)
        case "markdown":
            return write_markdown(bundle)
        case _:
            read_scorecard(bundle)
            return bundle / FOLDER / SCORECARD


def _text(bundle: Path, form: str) -> str:
    match form:
        case "html":
            return html_of(bundle)
        case "markdown":
            return markdown_of(bundle)
        case _:
            return scorecard_bytes(read_scorecard(bundle)).decode()
