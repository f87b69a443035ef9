"""How verdicts combine: in any order, in any grouping, and the worst one is never lost."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.cli.analyze import worst_status
from rtoanalytics.verdict import Verdict, at_most, overall, worst

VERDICTS = st.sampled_from(list(Verdict))
SEVERITY = [Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
NUMBERS = st.floats(min_value=0, max_value=1e12)


@given(VERDICTS, VERDICTS, VERDICTS)
def test_merging_is_associative(a: Verdict, b: Verdict, c: Verdict) -> None:
    """Merging two parts first and then the third gives what merging all three gives."""
    assert worst([worst([a, b]), c]) is worst([a, worst([b, c])]) is worst([a, b, c])


@given(st.lists(VERDICTS).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_merging_does_not_depend_on_order(lists: tuple[list[Verdict], list[Verdict]]) -> None:
    """Any order of the same verdicts merges to the same verdict, of a row and of a drill."""
    some, shuffled = lists
    assert worst(some) is worst(shuffled)
    assert overall(some) is overall(shuffled)


@given(st.lists(VERDICTS))
def test_merging_again_changes_nothing(some: list[Verdict]) -> None:
    """A verdict merged with itself, or with what it is the worst of, stays what it is."""
    assert worst([*some, worst(some)]) is worst(some)
    assert overall([*some, overall(some)]) is overall(some)


@given(st.lists(VERDICTS, min_size=1))
def test_the_worst_is_kept(some: list[Verdict]) -> None:
    """Nothing is worse than the merged verdict, and it is one of those merged."""
    assert worst(some) in some
    assert max(SEVERITY.index(verdict) for verdict in some) == SEVERITY.index(worst(some))


@given(st.lists(VERDICTS))
def test_a_drill_passes_only_if_something_passed_and_nothing_else_was_found(some: list[Verdict]) -> None:
    """No evidence never gives pass: of rows that judged nothing the drill is inconclusive."""
    passed = Verdict.PASS in some and set(some) <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert (overall(some) is Verdict.PASS) == passed
    assert overall(some) is not Verdict.NOT_APPLICABLE


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_wider_interval_never_decides_more(low: float, width: float, more: float, limit: float) -> None:
    """What is less well known is never judged otherwise: a wider interval keeps the verdict or loses it."""
    narrow = at_most(low, low + width, limit)
    for wide in (at_most(max(0.0, low - more), low + width, limit), at_most(low, low + width + more, limit)):
        assert wide in {narrow, Verdict.INCONCLUSIVE}
    assert at_most(low, None, limit) is at_most(low, inf, limit)


@given(st.lists(st.sampled_from([0, 1, 2, 3])), st.lists(st.sampled_from([0, 1, 2, 3])))
def test_exit_statuses_merge_like_verdicts(some: list[int], others: list[int]) -> None:
    """Of several bundles the worst status answers (3, then 1, then 2, then 0), however they are grouped."""
    assert worst_status([*some, *others]) == worst_status([worst_status(some), worst_status(others)])
    assert worst_status(some) == next((status for status in (3, 1, 2) if status in some), 0)
