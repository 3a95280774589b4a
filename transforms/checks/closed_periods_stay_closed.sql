-- Nothing was posted into a period after it was closed.
--
-- table: ledger.journal_entries
-- follows: document
-- severity: error
with

closes as (
    select
        closed_through,
        decided_at,
        -- A close and a reopening in the same instant count in the order they were written.
        lead(decided_at, 1, timestamp '9999-12-31') over (order by decided_at, rowid) as replaced_at
    from decisions.closes
    where decided_at <= getvariable('as_of')
)

select entries.entry_id, entries.document_type, entries.document_id, entries.date, entries.posted_at, closes.closed_through
from ledger.journal_entries as entries
inner join closes
    on entries.posted_at >= closes.decided_at and entries.posted_at < closes.replaced_at
where entries.date <= closes.closed_through
