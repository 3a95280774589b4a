-- Every booked document line reaches the journal with its own amount, once: count and sum both.
--
-- A line that a person split arrives once per part; one of before the books begin is kept beside it.
--
-- table: ledger.postings
-- follows: document
-- severity: error
with

source_lines as (
    select
        document_type, document_id, line_id, count(*) as line_count, sum(amount) as amount,
        sum(coalesce(len(parts), 1)) as part_count
    from categorized.lines
    where is_booked and amount <> 0
    group by all
),

posted_lines as (
    select
        document_type, document_id, source_line_id as line_id, count(*) as line_count,
        sum(if(document_type in ('bill', 'credit_memo'), amount_currency, -amount_currency)) as amount
    from (
        select document_type, document_id, source_line_id, amount_currency from ledger.postings
        union all
        select document_type, document_id, source_line_id, amount_currency from ledger.lines_before_books
    )
    where source_line_id is not null
    group by all
)

select
    coalesce(source_lines.document_type, posted_lines.document_type) as document_type,
    coalesce(source_lines.document_id, posted_lines.document_id) as document_id,
    coalesce(source_lines.line_id, posted_lines.line_id) as line_id,
    source_lines.amount as amount_in_bill, posted_lines.amount as amount_posted,
    posted_lines.line_count as times_posted
from source_lines
full join posted_lines using (document_type, document_id, line_id)
where source_lines.line_count is distinct from 1 or posted_lines.line_count is distinct from source_lines.part_count
    or source_lines.amount <> posted_lines.amount
