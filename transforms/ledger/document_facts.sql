-- What the documents say of themselves: days, numbers, statuses, cards and rates, now or as it was known then.
--
-- What BILL tells of now alone is null at an earlier moment.
--
-- grain: one row per document
-- key: document_type, document_id
-- owner: team:accounting
-- follows: document_id
-- macro: document_facts_at(known_at)
with

earlier as (
    select *, true as is_earlier
    from ledger.document_history
    where getvariable('known_at') >= known_from and getvariable('known_at') < known_to
)

select
    documents.document_id,                                                    -- BILL's id of the document.
    documents.document_type,                                                  -- bill, vendor_credit, payment, invoice, credit_memo, received_payment …
    documents.control,                                                        -- Sub-ledger on which it stands open; null for a movement of money.
    if(earlier.is_earlier, earlier.party_id, documents.party_id) as party_id,  -- Vendor or customer.
    if(earlier.is_earlier, earlier.number, documents.number) as number,       -- Number for people.
    coalesce(earlier.status, documents.status) as status,                     -- BILL's status.
    documents.currency,                                                       -- Currency of now.
    coalesce(earlier.document_date, documents.document_date) as document_date,  -- Day on the document.
    coalesce(earlier.document_date, documents.date) as date,                  -- Day it counts for; at an earlier moment the day on the document.
    coalesce(earlier.due_date, documents.due_date) as due_date,               -- Due date; its own date where it has none.
    coalesce(earlier.is_paid_by_card, documents.is_paid_by_card, false) as is_paid_by_card,  -- A payment that a card carried: paid by one, or to the vendor on one.
    -- Null in books that were published before there was the column.
    coalesce(earlier.is_rate_given, documents.is_rate_given, true) as is_rate_given,  -- BILL priced it in home currency.
    documents.funding_account_id,                                             -- Bank account or card of the money of now.
    if(getvariable('known_at') is null, documents.is_booked, null) as is_booked,  -- Belongs in the books; null at an earlier moment: the journal says.
    if(getvariable('known_at') is null, documents.amount, null) as amount,    -- Total in its currency; the same.
    if(getvariable('known_at') is null, documents.amount_home, null) as amount_home,  -- Total in home currency; the same.
    if(getvariable('known_at') is null, documents.amount_open, null) as amount_open,  -- Not yet settled or used; the same.
    if(getvariable('known_at') is null, documents.amount_due, null) as amount_due,  -- What BILL says is due; null at an earlier moment.
    if(getvariable('known_at') is null, documents.amount_scheduled, null) as amount_scheduled  -- Payments scheduled and not started; null at an earlier moment.
from ledger.documents as documents
left join earlier
    on earlier.document_type = documents.document_type and earlier.document_id = documents.document_id
