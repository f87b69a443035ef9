"""How far this host's clock is from each broker's: measured with commits, which the coordinator stamps with its clock.

For each broker a group is named so that its partition of `__consumer_offsets` is led by that broker, which is then
the group's coordinator. The group commits an offset of that same partition (it stands for nothing), this host's clock
is read before and after, and the coordinator's timestamp is read back from the log. It writes, so it is opt-in: one
small record a commit, which expires with the retention of offsets. The group is never joined.
"""

from rtoanalytics_collectors.broker_clocks.known import Clocked, KnownClocks, Stamp
from rtoanalytics_collectors.broker_clocks.looking import GROUP_PREFIX, BrokerClocks
from rtoanalytics_collectors.broker_clocks.stamps import GroupStamps

__all__ = ["GROUP_PREFIX", "BrokerClocks", "Clocked", "GroupStamps", "KnownClocks", "Stamp"]
