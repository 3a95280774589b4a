-- Booked documents with a day or an amount that can hardly be meant: a mistyped year above all.
--
-- They are booked as BILL gives them. Correct the document in BILL; the entry is replaced.
--
-- grain: one row per doubtful document
-- key: document_type, document_id
-- owner: team:accounting
select
    documents.document_id,                                         -- BILL's id of the document.
    documents.document_type,                                       -- bill, vendor_credit, payment, invoice, credit_memo or received_payment.
    coalesce(parties.merged_party_id, documents.party_id) as party_id,  -- Vendor or customer, one id for all its spellings.
    parties.merged_party as party,                                 -- Its name.
    documents.number,                                              -- Number on the document.
    documents.date,                                                -- Day it counts for.
    documents.due_date,                                            -- Day it is due.
    documents.currency,                                            -- Currency of the amount.
    documents.amount,                                              -- Its amount.
    documents.doubtful as reason                                   -- What can hardly be meant, in words.
from ledger.documents as documents
left join ledger.parties as parties on parties.party_id = documents.party_id
where documents.is_booked and documents.doubtful is not null
