"""Addresses: every page of every drill has one, and what is chosen stands in it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rtoanalytics_app.entries import Entry

DRILL = "drill"
"""The query parameter that names a drill by its key."""
_PAGE_OF: Mapping[str, str] = MappingProxyType(
    {
        "ledger.parquet": "integrity",
        "findings.parquet": "integrity#findings",
        "lag.parquet": "backlog",
        "burn_down.parquet": "backlog",
        "recovery.parquet": "timeline#conditions",
        "timeline.parquet": "timeline#events",
        "coverage.parquet": "evidence",
        "manifest.json": "evidence#seal",
        "drill.yaml": "evidence#definition",
        "evidence/acks": "clients",
        "evidence/applied": "integrity",
        "evidence/client_stats": "clients#clients",
    }
)
"""Evidence behind a check → the page, and the place on it, where its rows are."""


def address(page: str, key: str) -> str:
    """The address of a page of a drill, relative to the app. `page` may end in `#place`.

    >>> address("integrity#findings", "payments 2026")
    'integrity?drill=payments+2026#findings'
    """
    name, _, place = page.partition("#")
    return f"{name}?{urlencode({DRILL: key})}" + (f"#{place}" if place else "")


def evidence_links(key: str, files: Sequence[str]) -> dict[str, str]:
    """For each file of evidence the address where its rows are shown; empty where no page shows them."""
    return {file: address(_PAGE_OF[file], key) if file in _PAGE_OF else "" for file in files}


def chosen(entries: Sequence[Entry]) -> Entry | None:
    """The drill that the address names, else the one looked at last, else the newest; the address then names it."""
    by_key = {entry.key: entry for entry in entries}
    key = st.query_params.get(DRILL) or st.session_state.get(DRILL)
    entry = by_key.get(str(key)) or next((entry for entry in entries if entry.scorecard), next(iter(entries), None))
    if entry is not None and (key is None or str(key) in by_key):
        remember(entry)
    return entry if key is None or str(key) in by_key else None


def remember(entry: Entry) -> None:
    """Name the drill in the address, and for the pages that are opened next."""
    st.session_state[DRILL] = entry.key
    if st.query_params.get(DRILL) != entry.key:
        st.query_params[DRILL] = entry.key
