"""Group states from records: the coordinator's rules, and nothing that was not written."""

from __future__ import annotations

import pytest

from rtoanalytics_collectors.commits.group_states import DEAD, GroupState, GroupTracker
from rtoanalytics_collectors.commits.records import (
    Fact,
    GroupEpoch,
    GroupMetadata,
    GroupRemoved,
    Irrelevant,
    Member,
    MemberEpoch,
    MemberJoined,
    MemberLeft,
    Protocol,
    TargetEpoch,
)

CONSUMER = Protocol.CONSUMER
MEMBERS = tuple(Member(name, None, "c", "/h", b"") for name in "ab")


def state(*facts: Fact) -> GroupState | None:
    """The state after some records of group g."""
    tracker = GroupTracker()
    for fact in facts:
        tracker.take(fact)
    return tracker.state


def test_group_of_which_nothing_is_written_has_no_state() -> None:
    """Commits alone say nothing of a group; nobody is known to be in it."""
    assert state() is None
    assert state(Irrelevant("g")) is None
    assert GroupTracker().is_without_members


def test_classic_group_is_stable_with_members_and_empty_without() -> None:
    """Those are the two that a classic group writes; a generation of -1 is not known."""
    stable = GroupMetadata("g", "consumer", 7, "range", "a", MEMBERS)
    empty = GroupMetadata("g", "", -1, None, None, ())
    assert state(stable) == GroupState("Stable", 2, 7)
    assert state(stable, empty) == GroupState("Empty", 0, None)
    assert state(stable, GroupRemoved("g", None)) == DEAD


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([GroupEpoch("g", CONSUMER, 1)], GroupState("Empty", 0, 1)),
        ([MemberJoined("g", CONSUMER, "a"), GroupEpoch("g", CONSUMER, 1)], GroupState("Assigning", 1, 1)),
        (
            [MemberJoined("g", CONSUMER, "a"), GroupEpoch("g", CONSUMER, 1), TargetEpoch("g", CONSUMER, 1)],
            GroupState("Reconciling", 1, 1),
        ),
    ],
)
def test_group_whose_coordinator_assigns_passes_through_its_states(facts: list[Fact], expected: GroupState) -> None:
    """Empty, then a member joins, then it is assigned; it is stable when every member has followed."""
    assert state(*facts) == expected


def test_group_is_stable_when_every_member_has_followed() -> None:
    """A member that still has to revoke, or that follows an older assignment, keeps the group reconciling."""
    joined: list[Fact] = [MemberJoined("g", CONSUMER, "a"), MemberJoined("g", CONSUMER, "b")]
    assigned: list[Fact] = [*joined, GroupEpoch("g", CONSUMER, 2), TargetEpoch("g", CONSUMER, 2)]
    first = MemberEpoch("g", CONSUMER, "a", 2, is_stable=True)
    revoking = MemberEpoch("g", CONSUMER, "b", 2, is_stable=False)
    behind = MemberEpoch("g", CONSUMER, "b", 1, is_stable=True)
    for second in (revoking, behind):
        assert state(*assigned, first, second) == GroupState("Reconciling", 2, 2)
    both: list[Fact] = [*assigned, first, MemberEpoch("g", CONSUMER, "b", 2, is_stable=True)]
    assert state(*both) == GroupState("Stable", 2, 2)
    assert state(*both, revoking) == GroupState("Reconciling", 2, 2)
    assert state(*both, MemberLeft("g", CONSUMER, "b")) == GroupState("Stable", 1, 2)


def test_removed_group_is_dead_whatever_is_removed_after_it() -> None:
    """The tombstones of a group come in any order."""
    group: list[Fact] = [GroupEpoch("g", CONSUMER, 1), GroupRemoved("g", CONSUMER), MemberLeft("g", CONSUMER, "a")]
    assert state(*group) == DEAD


def test_group_that_changes_its_protocol_lives_on() -> None:
    """A classic group that becomes one whose coordinator assigns is removed and written anew."""
    upgraded: list[Fact] = [
        GroupMetadata("g", "consumer", 7, "range", "a", MEMBERS),
        GroupRemoved("g", None),
        GroupEpoch("g", CONSUMER, 8),
    ]
    assert state(*upgraded) == GroupState("Empty", 0, 8)
