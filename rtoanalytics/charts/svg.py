"""A chart as SVG text, to stand inside a page: no script, no request, the same bytes each time."""

from __future__ import annotations

import re
from typing import Any

import vl_convert

_IDENTIFIER = re.compile(r'(id="|url\(#)([A-Za-z_]+)(\d+)')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_SIZE = re.compile(r'(<svg[^>]*?) width="[\d.]+" height="[\d.]+"')
_FONT = re.compile(r' font-family="[^"]*"')


def untitled(specification: dict[str, Any]) -> dict[str, Any]:
    """The specification without its title, for a page that sets the title itself."""
    return {name: value for name, value in specification.items() if name != "title"}


def draw_svg(specification: dict[str, Any], prefix: str) -> str:
    """The SVG of a Vega-Lite specification, without width and height, so that the page decides how large it stands.

    `prefix` keeps the identifiers of several charts on one page apart. No request is made: data are in the
    specification.
    """
    drawn: str = vl_convert.vegalite_to_svg(
        specification, vl_version=newest_version(specification), allowed_base_urls=[]
    )
    return _fitting(_numbered_anew(_FONT.sub("", _LONG_NUMBER.sub(_rounded, drawn)), prefix))


def newest_version(specification: dict[str, Any]) -> str:
    """The newest Vega-Lite that vl-convert has, of the specification's own major version."""
    major = re.search(r"/v(\d+)", str(specification.get("$schema", "")))
    versions = [
        version for version in vl_convert.get_vegalite_versions() if not major or version.split(".")[0] == major[1]
    ]
    return max(
        versions or vl_convert.get_vegalite_versions(), key=lambda version: [int(part) for part in version.split(".")]
    )


def _numbered_anew(svg: str, prefix: str) -> str:
    """Vega counts identifiers over the life of the process; here each chart counts from 0."""
    seen: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        new = seen.setdefault(match[2] + match[3], f"{prefix}-{match[2]}{len(seen)}")
        return match[1] + new

    return _IDENTIFIER.sub(renamed, svg)


def _rounded(match: re.Match[str]) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _fitting(svg: str) -> str:
    return _SIZE.sub(r'\1 aria-hidden="true" focusable="false"', svg, count=1)
