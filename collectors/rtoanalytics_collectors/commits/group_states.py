"""Group states: who is in a group and which generation it has come to, from the records of `__consumer_offsets`.

The coordinator writes a record whenever a group has become stable or empty; a rebalance on its way is not written by
classic groups, so their states are `Stable`, `Empty` and `Dead`. Groups whose coordinator assigns (KIP-848, share and
streams groups) write their epochs and those of their members, from which the state follows as in the coordinator:

1. no member: `Empty`;
2. the group's epoch is above that of the latest assignment: `Assigning`;
3. a member has not followed the latest assignment yet: `Reconciling`;
4. else `Stable`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rtoanalytics_collectors.commits.records import (
    Fact,
    GroupEpoch,
    GroupMetadata,
    GroupRemoved,
    MemberEpoch,
    MemberJoined,
    MemberLeft,
    Protocol,
    TargetEpoch,
)


class GroupState(NamedTuple):
    """A group at one instant."""

    state: str
    members: int
    generation: int | None
    """Generation of a classic group, epoch of another; None when none was written."""


DEAD = GroupState("Dead", 0, None)


@dataclass
class _Assigned:
    """A group whose coordinator assigns, as its records describe it."""

    epoch: int | None = None
    target_epoch: int = -1
    members: set[str] = field(default_factory=set)
    followed: dict[str, int] = field(default_factory=dict)
    """The epoch that each stable member has followed; members that still have to revoke or wait are not here."""

    def state(self) -> GroupState:
        return GroupState(self._name(), len(self.members), self.epoch)

    def _name(self) -> str:
        if not self.members:
            return "Empty"
        if self.epoch is not None and self.epoch > self.target_epoch:
            return "Assigning"
        is_followed = all(self.followed.get(member) == self.target_epoch for member in self.members)
        return "Stable" if is_followed else "Reconciling"


class GroupTracker:
    """The state of one group, record by record."""

    def __init__(self) -> None:
        self._classic: GroupState | None = None
        self._assigned: dict[Protocol, _Assigned] = {}
        self._is_removed = False

    @property
    def state(self) -> GroupState | None:
        """The state as of the last record; None when no record was about the group itself."""
        if self._classic is not None:
            return self._classic
        newest = max(self._assigned.values(), key=lambda group: group.epoch or 0, default=None)
        return newest.state() if newest else DEAD if self._is_removed else None

    @property
    def is_without_members(self) -> bool:
        """Whether nobody is in the group, as far as its records tell."""
        return self.state is None or self.state.members == 0

    def take(self, fact: Fact) -> None:
        """Take the next record of the group; what says nothing about members is passed over."""
        if isinstance(fact, GroupMetadata):
            name = "Stable" if fact.members else "Empty"
            self._classic = GroupState(name, len(fact.members), _known(fact.generation))
        elif isinstance(fact, GroupRemoved):
            self._remove(fact.protocol)
        elif isinstance(fact, MemberLeft):
            self._leave(fact)
        elif isinstance(fact, GroupEpoch | TargetEpoch | MemberJoined | MemberEpoch):
            self._take_assigned(self._assigned.setdefault(fact.protocol, _Assigned()), fact)

    def _remove(self, protocol: Protocol | None) -> None:
        self._is_removed = True
        if protocol is None:
            self._classic = None
        else:
            self._assigned.pop(protocol, None)

    def _leave(self, fact: MemberLeft) -> None:
        """Forget a member; one of a group that was removed before it changes nothing."""
        if group := self._assigned.get(fact.protocol):
            group.members.discard(fact.member_id)
            group.followed.pop(fact.member_id, None)

    @staticmethod
    def _take_assigned(group: _Assigned, fact: GroupEpoch | TargetEpoch | MemberJoined | MemberEpoch) -> None:
        if isinstance(fact, GroupEpoch):
            group.epoch = fact.epoch
        elif isinstance(fact, TargetEpoch):
            group.target_epoch = fact.epoch
        elif isinstance(fact, MemberJoined):
            group.members.add(fact.member_id)
        elif fact.is_stable:
            group.followed[fact.member_id] = fact.epoch
        else:
            group.followed.pop(fact.member_id, None)


def _known(generation: int) -> int | None:
    return generation if generation >= 0 else None
