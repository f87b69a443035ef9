"""Where records of the drill carry their identity, as the definition says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.identity import RecordId, from_header, from_key, hashed

if TYPE_CHECKING:
    from rtoanalytics_collectors.capture.plan import Plan


def record_id_of(plan: Plan) -> RecordId:
    """What gives the identity of a record. Raises UsageError for a key of the hash that is not set or too short."""
    defined = plan.drill.collect.record_id
    plain = from_header(defined.header) if defined.header else from_key
    key = plan.environment.optional(defined.hash_key, "drill.yaml: collect.record_id.hash_key")
    return plain if key is None else hashed(plain, key.encode())
