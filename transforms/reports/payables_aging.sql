-- What the client owes each vendor, by how late it is; the total is the control account's balance.
--
-- Day 30 belongs to 1–30; a document without a due date is due on its own date. With age_by
-- 'document_date' lateness counts from the day on the document instead.
--
-- grain: one row per vendor
-- key: party_id
-- owner: team:accounting
-- totals: amount_current, amount_1_to_30, amount_31_to_60, amount_61_to_90, amount_over_90, amount_credits, amount_total, amount_advances
-- macro: payables_aging_at(report_date, known_at, age_by)
with

lines as (
    select
        journal_lines.*,
        accounts.control,
        coalesce(getvariable('report_date'), books.known_until::date)::date as day
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    cross join ledger.books as books
    where accounts.control in ('payables', 'vendor advances')
        and journal_lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

open_items as (
    select
        coalesce(parties.merged_party_id, lines.party_id) as party_id,
        any_value(parties.merged_party) as party,
        lines.control,
        -sum(lines.amount) as amount_open,
        any_value(lines.day) - coalesce(
            any_value(if(
                getvariable('age_by') = 'document_date',
                documents.document_date,
                documents.due_date
            )),
            min(lines.date)
        ) as days_late
    from lines
    left join ledger.document_facts as documents
        on documents.document_id = lines.open_item_id and documents.control = lines.control
    left join ledger.parties as parties on parties.party_id = lines.party_id
    group by coalesce(parties.merged_party_id, lines.party_id), lines.control, lines.open_item_id
    having sum(lines.amount) <> 0
)

select
    open_items.party_id,                                                                        -- BILL's id of the vendor, one for all its spellings.
    open_items.party,                                                                           -- Its name.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open > 0 and days_late <= 0), 0)::decimal(18, 2) as amount_current,  -- Not yet due.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open > 0 and days_late between 1 and 30), 0)::decimal(18, 2) as amount_1_to_30,  -- 1 to 30 days late.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open > 0 and days_late between 31 and 60), 0)::decimal(18, 2) as amount_31_to_60,  -- 31 to 60 days late.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open > 0 and days_late between 61 and 90), 0)::decimal(18, 2) as amount_61_to_90,  -- 61 to 90 days late.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open > 0 and days_late > 90), 0)::decimal(18, 2) as amount_over_90,  -- More than 90 days late.
    coalesce(sum(amount_open) filter (where control = 'payables' and amount_open < 0), 0)::decimal(18, 2) as amount_credits,  -- Open credits, negative.
    coalesce(sum(amount_open) filter (where control = 'payables'), 0)::decimal(18, 2) as amount_total,  -- Sum of the columns before: the control account's balance.
    coalesce(-sum(amount_open) filter (where control = 'vendor advances'), 0)::decimal(18, 2) as amount_advances  -- Paid before a bill: prepayments, not part of the total.
from open_items
group by open_items.party_id, open_items.party
