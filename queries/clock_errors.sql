-- How far may the clocks of the collectors be off?
-- Measure: M11
-- Grain: one row
-- Reads: heartbeats
-- Parameters: none
-- Returns:
--   clock_error_seconds double  largest error of a clock measurement on record, null if none was measured
--   clock_offset_seconds double  largest distance of a collector's clock from its reference, null if none was measured
-- Method: Extremes over all heartbeats.
select
    max(clock_error_ms) / 1000 as clock_error_seconds,
    max(abs(clock_offset_ms)) / 1000 as clock_offset_seconds
from heartbeats
