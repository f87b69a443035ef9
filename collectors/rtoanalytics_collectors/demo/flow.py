"""The business flow of the demo: names and numbers that its programs, its drill and its tests share."""

from __future__ import annotations

from rtoanalytics_collectors.applied.sqlite import AppliedTable
from rtoanalytics_collectors.identity import from_header

CLUSTER = "primary"
TOPIC = "payments"
GROUP_ID = "payments-sink"
DOWNSTREAM = "payments-db"
PRODUCER_ID = "payments-producer"
CONSUMER_ID = "payments-sink-consumer"
BROKERS = (1, 2, 3)
PARTITIONS = 6
TOPIC_PARTITIONS = tuple((TOPIC, partition) for partition in range(PARTITIONS))

ID_HEADER = "payment-id"
RECORD_ID = from_header(ID_HEADER)
"""The business id travels in a header: the key is the account, so that an account's payments stay in order."""
ACCOUNTS = 120

RECORDS_PER_SECOND = 400
MAX_RECORDS = 100_000
"""The mock cluster drops the oldest batches beyond 5 MiB a partition: with about 200 bytes a record, this many
records over 6 partitions stay well below it."""

APPLY_SECONDS = 0.0008
"""What applying one payment takes the sink: it can do about three times what arrives, so a backlog takes seconds to
drain, as it does in life, and not an instant."""
COMMIT_SECONDS = 1.0
SESSION_TIMEOUT_MS = 6_000
"""The mock cluster lets a member join a group that is not empty only after this time less one second."""

PAYMENTS_TABLE = AppliedTable(
    table="payments",
    columns={
        "topic": "topic",
        "partition": "partition",
        "record_offset": "record_offset",
        "record_id": "payment_id",
        "applied_at": "applied_at_us",
    },
    order="effect_id",
)
