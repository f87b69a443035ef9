"""What the end of a produce proves: in the log, not in it, or not known."""

from __future__ import annotations

ACKED, FAILED, INDETERMINATE, ABORTED = "acked", "failed", "indeterminate", "aborted"

DEFINITE_ERRORS = frozenset(
    {
        # The client refused or dropped it before any broker saw it.
        "_QUEUE_FULL",
        "_PURGE_QUEUE",
        "_BAD_MSG",
        "_INVALID_ARG",
        "_KEY_SERIALIZATION",
        "_VALUE_SERIALIZATION",
        "_UNKNOWN_TOPIC",
        "_UNKNOWN_PARTITION",
        # The leader checks these before it appends.
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_MSG",
        "INVALID_MSG_SIZE",
        "INVALID_RECORD",
        "INVALID_TIMESTAMP",
        "INVALID_REQUIRED_ACKS",
        "INVALID_REQUEST",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "TOPIC_EXCEPTION",
        "POLICY_VIOLATION",
        "UNKNOWN_TOPIC_OR_PART",
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "NOT_ENOUGH_REPLICAS",
    }
)
"""Errors after which a record is known not to be in the log. Any other error leaves it open: the record may be there
(timeouts, broken connections, purged in flight, NOT_ENOUGH_REPLICAS_AFTER_APPEND), and is neither lost nor failed."""

_RAISED = {"BufferError": "_QUEUE_FULL", "NotImplementedError": "_NOT_IMPLEMENTED"}


def outcome_of(error_name: str | None) -> str:
    """The outcome that a delivery error stands for.

    >>> outcome_of(None), outcome_of("MSG_SIZE_TOO_LARGE"), outcome_of("_MSG_TIMED_OUT")
    ('acked', 'failed', 'indeterminate')
    """
    if error_name is None:
        return ACKED
    return FAILED if error_name in DEFINITE_ERRORS else INDETERMINATE


def raised_name(error: BaseException) -> str:
    """The error code of a client exception, or the name of any other one."""
    if error.args and hasattr(error.args[0], "name"):
        return str(error.args[0].name())
    return _RAISED.get(type(error).__name__, type(error).__name__)
