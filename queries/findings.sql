-- Which ranges of offsets need a second look?
-- Measure: M6
-- Grain: one row per finding
-- Reads: record_fates, settled_pages, twice_stretches, ledger_pages, group_commits, group_topics, watermarks, commits_above_log_end
-- Parameters: none
-- Returns:
--   kind varchar  run, commit_rewind, commit_jump, offset_reset or commit_above_log_end
--   downstream varchar  downstream, null where a commit concerns the group as a whole
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   fate varchar  fate that the records of a run share
--   start_offset bigint  first record (inclusive)
--   end_offset bigint  last record + 1 (exclusive)
--   records bigint  acknowledged records in it
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
--   max_applied bigint  largest n of a record
--   occurred_us bigint  when the commit was made, microseconds since the epoch
--   regained_us bigint  when a rewound group got back to where it was, microseconds since the epoch
--   reset_to varchar  earliest or latest
-- Method: Runs are maximal stretches of acknowledged records in offset order with one fate other than once and
--   filtered; positions are counted from words and from the bits in them, so that nothing but crowded words is sorted.
--   Commits are compared with the one before on their partition and with the log ends around them. Whether a
--   range that a commit jumped over holds an applied record is told by the bits of settled records, and by the others.
with looked_at as (
    select
        record_fates.page_number,
        word_of(record_fates.record_offset) as word_offset,
        count(*) as records,
        bit_or(offset_bit(record_fates.record_offset)) as record_bits,
        max(case when record_fates.fate in ('once', 'filtered') then 0 else 1 end) as has_runs
    from record_fates
    inner join ledger_pages on ledger_pages.page_number = record_fates.page_number
    where ledger_pages.is_declared
    group by record_fates.page_number, word_of(record_fates.record_offset)
),

words as (
    select
        page_number, word_offset,
        sum(records) as records,
        bit_or(record_bits) as record_bits,
        max(has_runs) as has_runs
    from (
        select page_number, word_offset, records, record_bits, has_runs from looked_at
        union all
        select page_number, word_offset, records, settled_bits as record_bits, 0 as has_runs
        from settled_pages
        where is_applied
    ) as parts
    group by page_number, word_offset
),

numbered_words as (
    select
        page_number, word_offset, record_bits, has_runs,
        records > bit_count(record_bits) as is_crowded,
        sum(records) over (partition by page_number order by word_offset rows unbounded preceding) - records
            as records_before
    from words
),

crowded_positions as (
    select
        record_fates.page_number, record_fates.fate, record_fates.record_offset, record_fates.applied_rows,
        record_fates.first_acked_us, record_fates.last_acked_us,
        record_fates.first_applied_us, record_fates.last_applied_us,
        numbered_words.records_before + row_number() over (
            partition by record_fates.page_number, numbered_words.word_offset
            order by record_fates.record_offset, record_fates.first_acked_us, record_fates.record_id nulls first
        ) as position
    from record_fates
    inner join numbered_words
        on
            numbered_words.page_number = record_fates.page_number
            and numbered_words.word_offset = word_of(record_fates.record_offset)
    where numbered_words.has_runs = 1 and numbered_words.is_crowded
),

positioned as (
    select
        record_fates.page_number, record_fates.fate, record_fates.record_offset, record_fates.applied_rows,
        record_fates.first_acked_us, record_fates.last_acked_us,
        record_fates.first_applied_us, record_fates.last_applied_us,
        numbered_words.records_before + 1
        + bit_count(numbered_words.record_bits & (offset_bit(record_fates.record_offset) - 1)) as position
    from record_fates
    inner join numbered_words
        on
            numbered_words.page_number = record_fates.page_number
            and numbered_words.word_offset = word_of(record_fates.record_offset)
    where
        numbered_words.has_runs = 1
        and not numbered_words.is_crowded
        and record_fates.fate not in ('once', 'filtered')
    union all
    select
        page_number, fate, record_offset, applied_rows, first_acked_us, last_acked_us, first_applied_us,
        last_applied_us, position
    from crowded_positions
    where fate not in ('once', 'filtered')
),

pieces as (
    select
        page_number, fate, word_of(record_offset) as word_offset,
        min(position) as first_position,
        count(*) as records,
        max(position) - min(position) + 1 > count(*) as is_torn,
        min(record_offset) as start_offset,
        max(record_offset) + 1 as end_offset,
        min(first_acked_us) as first_acked_us,
        max(last_acked_us) as last_acked_us,
        min(first_applied_us) as first_applied_us,
        max(last_applied_us) as last_applied_us,
        max(applied_rows) as max_applied
    from positioned
    group by page_number, fate, word_of(record_offset)
),

whole_pieces as (
    select
        page_number, fate, first_position, records, start_offset, end_offset,
        first_acked_us, last_acked_us, first_applied_us, last_applied_us, max_applied
    from pieces
    where not is_torn
    union all
    select
        positioned.page_number, positioned.fate, positioned.position, 1, positioned.record_offset,
        positioned.record_offset + 1, positioned.first_acked_us, positioned.last_acked_us,
        positioned.first_applied_us, positioned.last_applied_us, positioned.applied_rows
    from positioned
    inner join pieces
        on
            pieces.page_number = positioned.page_number
            and pieces.fate = positioned.fate
            and pieces.word_offset = word_of(positioned.record_offset)
    where pieces.is_torn
    union all
    select
        twice_stretches.page_number, 'duplicated',
        numbered_words.records_before + 1
        + bit_count(numbered_words.record_bits & (offset_bit(twice_stretches.start_offset) - 1)),
        twice_stretches.records, twice_stretches.start_offset, twice_stretches.end_offset,
        twice_stretches.first_acked_us, twice_stretches.last_acked_us,
        twice_stretches.first_applied_us, twice_stretches.last_applied_us,
        2
    from twice_stretches
    inner join numbered_words
        on
            numbered_words.page_number = twice_stretches.page_number
            and numbered_words.word_offset = twice_stretches.word_offset
),

islands as (
    select
        whole_pieces.*,
        first_position + records - sum(records) over (
            partition by page_number, fate order by first_position rows unbounded preceding
        ) as island
    from whole_pieces
),

runs as (
    select
        page_number,
        fate,
        min(start_offset) as start_offset,
        max(end_offset) as end_offset,
        cast(sum(records) as bigint) as records,
        min(first_acked_us) as first_acked_us,
        max(last_acked_us) as last_acked_us,
        min(first_applied_us) as first_applied_us,
        max(last_applied_us) as last_applied_us,
        cast(max(max_applied) as bigint) as max_applied
    from islands
    group by page_number, fate, island
),

flow_commits as (
    select group_commits.*
    from group_commits
    inner join group_topics
        on
            group_topics.group_id = group_commits.group_id
            and group_topics.cluster = group_commits.cluster
            and group_topics.topic = group_commits.topic
),

moves as (
    select
        group_id, cluster, topic, partition, partition_position, committed_offset, committed_us,
        lag(committed_offset) over (
            partition by group_id, cluster, topic, partition order by partition_position
        ) as previous_offset
    from flow_commits
),

rewinds as (
    select * from moves where committed_offset < previous_offset
),

regained as (
    select
        rewinds.group_id, rewinds.cluster, rewinds.topic, rewinds.partition, rewinds.partition_position,
        min(later.partition_position) as regained_position
    from rewinds
    inner join flow_commits as later
        on
            later.group_id = rewinds.group_id
            and later.cluster = rewinds.cluster
            and later.topic = rewinds.topic
            and later.partition = rewinds.partition
            and later.partition_position > rewinds.partition_position
            and later.committed_offset >= rewinds.previous_offset
    group by
        rewinds.group_id, rewinds.cluster, rewinds.topic, rewinds.partition, rewinds.partition_position
),

unapplied as (
    select
        ledger_pages.downstream, ledger_pages.group_id, ledger_pages.cluster, ledger_pages.topic,
        ledger_pages.partition, record_fates.record_offset
    from record_fates
    inner join ledger_pages on ledger_pages.page_number = record_fates.page_number
    where ledger_pages.is_declared and record_fates.applied_rows = 0 and record_fates.fate <> 'filtered'
),

jumps as (
    select
        unapplied.downstream,
        moves.group_id,
        moves.cluster,
        moves.topic,
        moves.partition,
        moves.partition_position,
        moves.committed_us,
        min(unapplied.record_offset) as start_offset,
        max(unapplied.record_offset) + 1 as end_offset,
        count(*) as records
    from moves
    inner join unapplied
        on
            unapplied.group_id = moves.group_id
            and unapplied.cluster = moves.cluster
            and unapplied.topic = moves.topic
            and unapplied.partition = moves.partition
            and unapplied.record_offset >= moves.previous_offset
            and unapplied.record_offset < moves.committed_offset
    where moves.committed_offset > moves.previous_offset
    group by
        unapplied.downstream, moves.group_id, moves.cluster, moves.topic, moves.partition,
        moves.partition_position, moves.committed_us
),

jumped as (
    select distinct group_id, cluster, topic, partition, partition_position from jumps
),

jump_moves as (
    select moves.*
    from moves
    inner join jumped
        on
            jumped.group_id = moves.group_id
            and jumped.cluster = moves.cluster
            and jumped.topic = moves.topic
            and jumped.partition = moves.partition
            and jumped.partition_position = moves.partition_position
),

applied_in_jumps as (
    select distinct
        jump_moves.group_id, jump_moves.cluster, jump_moves.topic, jump_moves.partition, jump_moves.partition_position
    from jump_moves
    inner join ledger_pages
        on
            ledger_pages.group_id = jump_moves.group_id
            and ledger_pages.cluster = jump_moves.cluster
            and ledger_pages.topic = jump_moves.topic
            and ledger_pages.partition = jump_moves.partition
    inner join record_fates
        on
            record_fates.page_number = ledger_pages.page_number
            and record_fates.record_offset >= jump_moves.previous_offset
            and record_fates.record_offset < jump_moves.committed_offset
    where ledger_pages.is_declared and record_fates.applied_rows > 0
    union
    select
        jump_moves.group_id, jump_moves.cluster, jump_moves.topic, jump_moves.partition, jump_moves.partition_position
    from jump_moves
    inner join ledger_pages
        on
            ledger_pages.group_id = jump_moves.group_id
            and ledger_pages.cluster = jump_moves.cluster
            and ledger_pages.topic = jump_moves.topic
            and ledger_pages.partition = jump_moves.partition
    inner join settled_pages
        on
            settled_pages.page_number = ledger_pages.page_number
            and settled_pages.word_offset >= word_of(jump_moves.previous_offset)
            and settled_pages.word_offset < jump_moves.committed_offset
    where
        settled_pages.is_applied
        and settled_pages.settled_bits
        & case
            when settled_pages.word_offset = word_of(jump_moves.previous_offset)
                then -offset_bit(jump_moves.previous_offset)
            else 9223372036854775807
        end
        & case
            when settled_pages.word_offset = word_of(jump_moves.committed_offset)
                then offset_bit(jump_moves.committed_offset) - 1
            else 9223372036854775807
        end <> 0
),

suspects as (
    select rewinds.*, 'earliest' as reset_to from rewinds
    union all
    select jump_moves.*, 'latest' as reset_to
    from jump_moves
    left join applied_in_jumps
        on
            applied_in_jumps.group_id = jump_moves.group_id
            and applied_in_jumps.cluster = jump_moves.cluster
            and applied_in_jumps.topic = jump_moves.topic
            and applied_in_jumps.partition = jump_moves.partition
            and applied_in_jumps.partition_position = jump_moves.partition_position
    where applied_in_jumps.group_id is null
),

watched as (
    select
        suspects.group_id, suspects.cluster, suspects.topic, suspects.partition, suspects.partition_position,
        watermarks.log_start_offset,
        watermarks.log_end_offset,
        row_number() over (
            partition by
                suspects.group_id, suspects.cluster, suspects.topic, suspects.partition, suspects.partition_position
            order by watermarks.observed_us desc, watermarks.log_end_offset desc, watermarks.log_start_offset desc nulls last
        ) as place
    from suspects
    inner join watermarks
        on
            watermarks.cluster = suspects.cluster
            and watermarks.topic = suspects.topic
            and watermarks.partition = suspects.partition
            and watermarks.observed_us <= suspects.committed_us
),

resets as (
    select suspects.*
    from suspects
    inner join watched
        on
            watched.group_id = suspects.group_id
            and watched.cluster = suspects.cluster
            and watched.topic = suspects.topic
            and watched.partition = suspects.partition
            and watched.partition_position = suspects.partition_position
            and watched.place = 1
    where
        (suspects.reset_to = 'earliest' and suspects.committed_offset = watched.log_start_offset)
        or (suspects.reset_to = 'latest' and suspects.committed_offset >= watched.log_end_offset)
)

select
    'run' as kind,
    ledger_pages.downstream, ledger_pages.group_id, ledger_pages.cluster, ledger_pages.topic, ledger_pages.partition,
    runs.fate, runs.start_offset, runs.end_offset, runs.records,
    runs.first_acked_us, runs.last_acked_us, runs.first_applied_us, runs.last_applied_us, runs.max_applied,
    cast(null as bigint) as occurred_us, cast(null as bigint) as regained_us, cast(null as varchar(20)) as reset_to
from runs
inner join ledger_pages on ledger_pages.page_number = runs.page_number
union all
select
    'commit_rewind', null, rewinds.group_id, rewinds.cluster, rewinds.topic, rewinds.partition, null,
    rewinds.committed_offset, rewinds.previous_offset, null, null, null, null, null, null,
    rewinds.committed_us, later.committed_us, null
from rewinds
left join regained
    on
        regained.group_id = rewinds.group_id
        and regained.cluster = rewinds.cluster
        and regained.topic = rewinds.topic
        and regained.partition = rewinds.partition
        and regained.partition_position = rewinds.partition_position
left join flow_commits as later
    on
        later.group_id = regained.group_id
        and later.cluster = regained.cluster
        and later.topic = regained.topic
        and later.partition = regained.partition
        and later.partition_position = regained.regained_position
union all
select
    'commit_jump', jumps.downstream, jumps.group_id, jumps.cluster, jumps.topic, jumps.partition, null,
    jumps.start_offset, jumps.end_offset, jumps.records, null, null, null, null, null,
    jumps.committed_us, null, null
from jumps
union all
select
    'offset_reset', null, resets.group_id, resets.cluster, resets.topic, resets.partition, null,
    case when resets.reset_to = 'earliest' then resets.committed_offset else resets.previous_offset end,
    case when resets.reset_to = 'earliest' then resets.previous_offset else resets.committed_offset end,
    null, null, null, null, null, null,
    resets.committed_us, null, resets.reset_to
from resets
union all
select
    'commit_above_log_end', null, commits_above_log_end.group_id, commits_above_log_end.cluster,
    commits_above_log_end.topic, commits_above_log_end.partition, null, commits_above_log_end.log_end_offset,
    commits_above_log_end.committed_offset, null, null, null, null, null, null,
    commits_above_log_end.committed_us, null, null
from commits_above_log_end
