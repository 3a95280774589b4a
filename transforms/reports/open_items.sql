-- Every bill, invoice, credit and advance that is not settled, with what is left of it.
--
-- ``amount_open`` is the journal's, debit positive; ``amount_owed`` has the aging's sign: what is owed
-- to vendors, what customers owe, and advances either way are positive; open credits, and what was
-- paid beyond a document's amount, are negative.
--
-- grain: one row per open document and control account
-- key: control, document_id
-- owner: team:accounting
-- follows: document_id
-- macro: open_items_at(report_date, known_at)
with

lines as (
    select
        journal_lines.*,
        accounts.control,
        if(accounts.control in ('payables', 'customer credits'), -1, 1) as side,
        -- What is scheduled BILL tells of now alone: a report of a past day does not know it.
        coalesce(getvariable('report_date'), books.known_until::date) >= books.known_until::date
        and getvariable('known_at') is null as is_of_now
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    cross join ledger.books as books
    where accounts.control in ('payables', 'receivables', 'vendor advances', 'customer credits')
        and journal_lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
)

select
    lines.control,                                             -- payables, receivables, vendor advances or customer credits.
    lines.open_item_id as document_id,                         -- BILL's id of the document.
    max(documents.document_type) as document_type,             -- bill, vendor_credit, invoice …
    max(documents.number) as number,                           -- Number for people.
    coalesce(parties.merged_party_id, lines.party_id) as party_id,  -- Vendor or customer, one id for all its spellings.
    max(parties.merged_party) as party,                        -- Its name.
    min(lines.date) as date,                                   -- Day it was opened.
    coalesce(max(documents.due_date), min(lines.date)) as due_date,  -- Day it is due.
    lines.currency,                                            -- Currency of the document.
    sum(lines.amount_currency)::decimal(18, 3) as amount_open_currency,  -- Open in that currency, debit positive.
    sum(lines.amount)::decimal(18, 2) as amount_open,          -- Open in home currency, debit positive.
    sum(lines.side * lines.amount)::decimal(18, 2) as amount_owed,  -- The same with the aging's sign: what is owed either way is positive.
    (case
        when not bool_and(lines.is_of_now) then null
        when lines.control = 'payables' then coalesce(max(documents.amount_scheduled), 0)
        else 0
    end)::decimal(18, 3) as amount_scheduled                   -- Of a bill, in its currency: payments scheduled and not started; null in a report of a past day.
from lines
left join ledger.document_facts as documents
    on documents.document_id = lines.open_item_id
    -- What BILL took for a statement to come is an advance, and the statement is a payable.
    and documents.control = if(lines.party_id = 'bill:fees', 'payables', lines.control)
left join ledger.parties as parties on parties.party_id = lines.party_id
group by lines.control, lines.open_item_id, coalesce(parties.merged_party_id, lines.party_id), lines.currency
having sum(lines.amount) <> 0 or sum(lines.amount_currency) <> 0
