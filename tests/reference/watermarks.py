"""Log ends as of an instant, and at or after it."""

from .evidence import Row

Partition = tuple[str, str, int]  # cluster, topic, partition


def partition_of(row: Row) -> Partition:
    """Return the partition a row is about."""
    return (row["cluster"], row["topic"], row["partition"])


def watermark_as_of(watermarks: list[Row], instant_us: int) -> Row | None:
    """Return the latest watermark at or before an instant; of several at once the highest log end."""
    earlier = [row for row in watermarks if row["observed_at"] <= instant_us]
    return max(earlier, key=lambda row: (row["observed_at"], row["log_end_offset"]), default=None)


def watermark_at_or_after(watermarks: list[Row], instant_us: int) -> Row | None:
    """Return the first watermark at or after an instant; of several at once the lowest log end."""
    later = [row for row in watermarks if row["observed_at"] >= instant_us]
    return min(later, key=lambda row: (row["observed_at"], row["log_end_offset"]), default=None)
