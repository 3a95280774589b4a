-- Booked documents with a day or an amount that can hardly be meant: a mistyped year above all.
--
-- They are booked as BILL gives them. Correct the document in BILL; the entry is replaced.
--
-- grain: one row per doubtful document
-- key: document_type, document_id
-- owner: team:accounting
select
    document_id,                                                   -- BILL's id of the document.
    document_type,                                                 -- bill, vendor_credit, payment, invoice, credit_memo or received_payment.
    party_id,                                                      -- Vendor or customer.
    party,                                                         -- Its name.
    number,                                                        -- Number on the document.
    date,                                                          -- Day it counts for.
    due_date,                                                      -- Day it is due.
    currency,                                                      -- Currency of the amount.
    amount,                                                        -- Its amount.
    doubtful as reason                                             -- What can hardly be meant, in words.
from ledger.documents
where is_booked and doubtful is not null
