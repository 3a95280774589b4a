-- Which documents name which other ones, in new versions: what pays, settles or uses what.
--
-- grain: one row per pair of documents
with

documents as (
    select
        id,
        from_json(without_empty_references(document), '{
            "billId": "VARCHAR",
            "billPayments": [{"billId": "VARCHAR", "vendorCredits": [{"id": "VARCHAR"}]}],
            "usage": [{"billId": "VARCHAR", "invoiceId": "VARCHAR", "paymentId": "VARCHAR"}],
            "invoicePayments": [{"invoiceId": "VARCHAR"}]
        }') as d
    from raw.document_versions
    where list in ('payments', 'vendor_credits', 'received_payments', 'credit_memos')
        and seen_at > getvariable('linked_at') and seen_at <= getvariable('as_of')
),

links (id, other_id) as (
    select id, unnest(list_concat(
        [d.billId],
        list_transform(d.billPayments, lambda paid: paid.billId),
        flatten(list_transform(d.billPayments, lambda paid: list_transform(paid.vendorCredits, lambda credit: credit.id))),
        list_transform(d.usage, lambda used: used.billId),
        list_transform(d.usage, lambda used: used.invoiceId),
        list_transform(d.usage, lambda used: used.paymentId),
        list_transform(d.invoicePayments, lambda paid: paid.invoiceId)
    ))
    from documents
)

select distinct id, other_id
from links
where other_id is not null
