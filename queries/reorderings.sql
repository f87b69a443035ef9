-- Which records were first applied after a record behind them?
-- Measure: M5
-- Grain: one row per reordered (downstream, record)
-- Reads: record_fates, settled_pages, disordered_words, word_orders, placed_effects, ledger_pages
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset of the reordered record
--   first_applied_us bigint  its earliest effect, microseconds since the epoch
--   overtaken_us bigint  earliest effect of a record behind it, microseconds since the epoch
-- Method: The earliest first application among all higher offsets of the ledger row is strictly earlier. Records that
--   share an offset are ordered by their own application so that they never overtake each other. Only words in which that
--   can be are sorted; of the others their earliest application counts for the words before them.
with ordered_words as (
    select settled_pages.page_number, settled_pages.word_offset, word_orders.first_applied_us
    from settled_pages
    inner join word_orders
        on word_orders.page_number = settled_pages.page_number and word_orders.word_offset = settled_pages.word_offset
    left join disordered_words
        on
            disordered_words.page_number = settled_pages.page_number
            and disordered_words.word_offset = settled_pages.word_offset
    where settled_pages.is_applied and disordered_words.page_number is null
),

moments as (
    select
        record_fates.page_number,
        word_of(record_fates.record_offset) as word_offset,
        record_fates.record_offset,
        record_fates.first_applied_us
    from record_fates
    left join ordered_words
        on
            ordered_words.page_number = record_fates.page_number
            and ordered_words.word_offset = word_of(record_fates.record_offset)
    where record_fates.applied_rows > 0 and ordered_words.page_number is null
    union all
    select
        placed_effects.page_number,
        disordered_words.word_offset,
        placed_effects.record_offset,
        min(placed_effects.applied_us) as first_applied_us
    from placed_effects
    inner join disordered_words
        on
            disordered_words.page_number = placed_effects.page_number
            and disordered_words.word_offset = word_of(placed_effects.record_offset)
    where not placed_effects.is_open
    group by placed_effects.page_number, disordered_words.word_offset, placed_effects.record_offset
),

words as (
    select page_number, word_offset, min(first_applied_us) as first_applied_us, true as is_sorted
    from moments
    group by page_number, word_offset
    union all
    select page_number, word_offset, first_applied_us, false as is_sorted
    from ordered_words
),

floors as (
    select
        page_number, word_offset, is_sorted,
        min(first_applied_us) over (
            partition by page_number order by word_offset desc rows between unbounded preceding and 1 preceding
        ) as floor_us
    from words
),

following as (
    select
        moments.page_number,
        moments.record_offset,
        moments.first_applied_us,
        floors.floor_us,
        min(moments.first_applied_us) over (
            partition by moments.page_number, moments.word_offset
            order by moments.record_offset desc, moments.first_applied_us desc
            rows unbounded preceding
        ) as lowest_us
    from moments
    inner join floors
        on floors.page_number = moments.page_number and floors.word_offset = moments.word_offset
    where floors.is_sorted
),

overtaken as (
    select
        page_number, record_offset, first_applied_us,
        case when floor_us < lowest_us then floor_us else lowest_us end as overtaken_us
    from following
)

select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    overtaken.record_offset,
    overtaken.first_applied_us,
    overtaken.overtaken_us
from overtaken
inner join ledger_pages on ledger_pages.page_number = overtaken.page_number
where overtaken.overtaken_us < overtaken.first_applied_us
