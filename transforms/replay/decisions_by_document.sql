-- When something was decided about one document: a line's category, a write-off, a processing fee.
--
-- grain: one row per document and batch
with

decided (list, id, decided_at) as (
    select lists.list, categories.document_id, categories.decided_at
    from decisions.categories as categories
    inner join replay_document_lists as lists on lists.document_type = categories.document_type
    union all
    select 'invoices', invoice_id, decided_at from decisions.write_offs
    union all
    select 'received_payments', received_payment_id, decided_at from decisions.processing_fees
)

select distinct decided.list, decided.id, batches.batch_no
from (select distinct * from decided) as decided
asof join replay_batches as batches on decided.decided_at <= batches.as_of
