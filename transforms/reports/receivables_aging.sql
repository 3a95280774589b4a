-- What the client is owed by each customer, by how late it is; the total is the control account's balance.
--
-- Day 30 belongs to 1–30; a document without a due date is due on its own date. With age_by
-- 'document_date' lateness counts from the day on the document instead.
--
-- grain: one row per customer
-- key: party_id
-- owner: team:accounting
-- columns: reports.payables_aging
-- totals: amount_current, amount_1_to_30, amount_31_to_60, amount_61_to_90, amount_over_90, amount_credits, amount_total, amount_advances
-- macro: receivables_aging_at(report_date, known_at, age_by)
with

items as (
    select
        items.party_id, items.party, sum(items.amount_owed) as amount,
        aging_bucket(
            items.control = 'customer credits', sum(items.amount_owed),
            any_value(coalesce(getvariable('report_date'), books.known_until::date)::date) - coalesce(
                any_value(if(
                    getvariable('age_by') = 'document_date', documents.document_date, documents.due_date
                )),
                min(items.date)
            )
        ) as bucket
    from reports.open_items as items
    cross join ledger.books as books
    left join ledger.document_facts as documents
        on documents.document_id = items.document_id and documents.control = items.control
    where items.control in ('receivables', 'customer credits')
    group by items.party_id, items.party, items.control, items.document_id
    having sum(items.amount_owed) <> 0
)

select
    party_id,  -- BILL's id of the customer, one for all its spellings.
    party,
    coalesce(sum(amount) filter (where bucket = 'current'), 0)::decimal(18, 2) as amount_current,
    coalesce(sum(amount) filter (where bucket = '1 to 30'), 0)::decimal(18, 2) as amount_1_to_30,
    coalesce(sum(amount) filter (where bucket = '31 to 60'), 0)::decimal(18, 2) as amount_31_to_60,
    coalesce(sum(amount) filter (where bucket = '61 to 90'), 0)::decimal(18, 2) as amount_61_to_90,
    coalesce(sum(amount) filter (where bucket = 'over 90'), 0)::decimal(18, 2) as amount_over_90,
    coalesce(sum(amount) filter (where bucket = 'credits'), 0)::decimal(18, 2) as amount_credits,
    coalesce(sum(amount) filter (where bucket <> 'advances'), 0)::decimal(18, 2) as amount_total,
    coalesce(sum(amount) filter (where bucket = 'advances'), 0)::decimal(18, 2) as amount_advances  -- Received before an invoice, not part of the total.
from items
group by party_id, party
