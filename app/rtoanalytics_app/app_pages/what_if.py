"""What if: the same evidence under other objectives and tolerances. What is stored stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from rtoanalytics.bundle.opening import read_evidence
from rtoanalytics.report import view
from rtoanalytics.report.wording import interval, readable, verdict_sentence
from rtoanalytics.what_if import Terms, WhatIf, terms_of
from rtoanalytics_app.entries import is_stale
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_app.entries import Entry

MAX_UNASKED_ROWS = 2_000_000
"""Evidence with more rows is read only when somebody asks for it."""
_LIMITS = {
    "max_duplicated_records": "Duplicated records",
    "max_skipped_records": "Skipped records",
    "max_lost_records": "Lost records",
    "max_reordered_records": "Reordered records",
    "max_failed_produces": "Failed produces",
    "max_final_lag_records": "Final lag, records",
    "max_peak_lag_records": "Peak lag, records",
    "max_drain_seconds": "Drain time, seconds",
}
_CHANGED = (
    Column("area", "Row"),
    Column("name", "Check"),
    Column("measured", "Measured", is_number=True),
    Column("limit", "Limit", is_number=True),
    Column("before", "Stored"),
    Column("verdict", "What if"),
    Column("reason", "Why", style="why"),
)


def show_page(entry: Entry) -> None:
    """Fields to move, and the verdict beside the stored one."""
    show("note", "The evidence is judged again under the terms below. The stored result is not touched.")
    if is_stale(entry):
        show("note", "The stored result is older than the evidence: the two may differ before anything is moved.")
    rows = sum(file.rows for files in read_evidence(entry.root)[0].values() for file in files)
    asked = f"what-if-{entry.key}"
    if rows > MAX_UNASKED_ROWS and not st.session_state.get(asked):
        show("note", f"The evidence has {rows:,} rows; reading them may take a minute.")
        if not st.button("Read the evidence", type="primary"):
            return
        st.session_state[asked] = True
    with st.spinner("Reading the evidence"):
        drill = _opened(str(entry.root), entry.digest)
    stored = terms_of(drill.bundle.drill)
    terms = _fields(stored, entry.key)
    with st.spinner("Judging"):
        judged = drill.judge(terms)
    _answer(entry, judged, is_moved=terms != stored)


@st.cache_resource(max_entries=2, show_spinner=False, on_release=WhatIf.close)
def _opened(root: str, digest: str) -> WhatIf:  # noqa: ARG001  (kept by it)
    return WhatIf(Path(root))


def _fields(stored: Terms, key: str) -> Terms:
    """The terms as the fields stand. A limit that is left empty is no limit."""
    left, middle, right = st.columns(3)
    with left:
        rto = _number("Recovery time objective, s", stored.rto_seconds, f"{key}-rto")
        rpo = _whole("Recovery point objective, records", stored.rpo_records, f"{key}-rpo")
    with middle:
        hold = _number("Must hold for, s", stored.hold_seconds, f"{key}-hold")
    lags = {}
    with right:
        for group, limit in stored.lag_records.items():
            lag = _whole(f"Lag limit of {group}, records", limit, f"{key}-lag-{group}")
            lags[group] = limit if lag is None else lag
    criteria: dict[str, float | None] = {}
    columns = st.columns(4)
    for place, (name, title) in enumerate(_LIMITS.items()):
        with columns[place % 4]:
            value = stored.criteria.get(name)
            reader = _number if name.endswith("_seconds") else _whole
            criteria[name] = reader(title, value, f"{key}-{name}")
    st.button("Back to the stored terms", on_click=_reset, args=(key,))
    return Terms(
        stored.rto_seconds if rto is None else rto, rpo, stored.hold_seconds if hold is None else hold, lags, criteria
    )


def _reset(key: str) -> None:
    for name in [name for name in st.session_state if str(name).startswith(f"term-{key}-")]:
        del st.session_state[name]


def _number(title: str, value: float | None, key: str) -> float | None:
    given: float | None = st.number_input(
        title, min_value=0.0, value=None if value is None else float(value), key=f"term-{key}", placeholder="no limit",
        format="%g",
    )  # fmt: skip
    return given


def _whole(title: str, value: float | None, key: str) -> int | None:
    given: int | None = st.number_input(
        title,
        min_value=0,
        value=None if value is None else int(value),
        step=1,
        key=f"term-{key}",
        placeholder="no limit",
    )
    return given


def _answer(entry: Entry, judged: Mapping[str, Any], *, is_moved: bool) -> None:
    stored = entry.scorecard
    assert stored is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    before, after = view.badge(stored["verdict"]), view.badge(judged["verdict"])
    items = [
        {
            "name": "Stored",
            "value": f"{before['symbol']} {before['word']}",
            "note": f"recovery {interval(stored['recovery'])}",
            "verdict": stored["verdict"],
        },
        {
            "name": "What if",
            "value": f"{after['symbol']} {after['word']}",
            "note": f"recovery {interval(judged['recovery'])}",
            "verdict": judged["verdict"],
        },
    ]
    show("tiles", items)
    show("note", verdict_sentence(judged))
    changed = changed_checks(stored, judged)
    if changed:
        show("title", "What changes", "changes")
        show_table("Checks that differ from the stored result", _CHANGED, changed, is_caption_hidden=True)
        offer_table([{**row, "evidence": ""} for row in changed], file_name(entry.key, "what-if"))
    else:
        show("empty", "No check changes." if is_moved else "Move a field: checks that change are listed here.")


def changed_checks(stored: Mapping[str, Any], judged: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks whose verdict or measured value differs, as they would be, with the stored verdict."""
    before = {check["name"]: check for row in stored["rows"] for check in row["checks"]}
    return [
        {**view.check_view(check), "area": row["title"], "before": _word(before.get(check["name"]))}
        for row, shown in zip(judged["rows"], view.row_views(judged), strict=True)
        for check in row["checks"]
        for row in (shown,)
        if _differs(before.get(check["name"]), check)
    ]


def _differs(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    return before is None or any(before[name] != after[name] for name in ("verdict", "measured"))


def _word(check: Mapping[str, Any] | None) -> str:
    return readable("not there") if check is None else view.badge(check["verdict"])["word"]
