-- When something was decided about one document: a line's category, a write-off.
--
-- grain: one row per document and batch
with

decided (list, id, decided_at) as (
    select
        case document_type
            when 'bill' then 'bills'
            when 'vendor_credit' then 'vendor_credits'
            when 'invoice' then 'invoices'
            else 'credit_memos'
        end,
        document_id, decided_at
    from decisions.categories
    union all
    select 'invoices', invoice_id, decided_at from decisions.write_offs
)

select distinct decided.list, decided.id, batches.batch_no
from (select distinct * from decided) as decided
asof join replay_batches as batches on decided.decided_at <= batches.as_of
