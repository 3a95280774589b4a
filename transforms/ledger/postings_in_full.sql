-- What every kind of document posts, line by line, were there no day on which the books begin.
--
-- The rules, one file per kind, give the columns they fill and may give lines of nothing.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- materialize: view
-- follows: document_id
-- published: no
select
    document_type,                        -- Kind of BILL document.
    document_id,                          -- BILL's id of the document.
    version,                              -- Version of the document in the archive.
    event,                                -- What happened to it; one entry per event.
    line_key,                             -- Tells the entry's lines apart; the line's id where it has one.
    date,                                 -- Day it counts for.
    document_date,                        -- Day BILL shows.
    party_id,                             -- Vendor or customer.
    account_id,                           -- Account debited (+) or credited (-).
    amount,                               -- Home currency, debit positive.
    currency,                             -- Currency of the document.
    amount_currency,                      -- The same in the document's currency.
    class_id,                             -- Accounting class.
    department_id,                        -- Department.
    location_id,                          -- Location.
    job_id,                               -- Job.
    open_item_id,                         -- Document that this opens or settles, on control and clearing accounts.
    source_line_id,                       -- BILL's line it came from, if any.
    category_source,                      -- Who chose the account: bill, person, rule, model, default; null for a role.
    description,                          -- Text for people.
    type_date                             -- Day whose type of the account counts, where it is not the entry's.
from (
    select * from ledger.postings_billing_statements
    union all by name
    select * from ledger.postings_credit_applications
    union all by name
    select * from ledger.postings_derived_transfers
    union all by name
    select * from ledger.postings_documents
    union all by name
    select * from ledger.postings_money_movements
    union all by name
    select * from ledger.postings_opening_balances
    union all by name
    select * from ledger.postings_payments
    union all by name
    select * from ledger.postings_reclassifications
    union all by name
    select * from ledger.postings_received_payments
    union all by name
    select * from ledger.postings_write_offs
)
where amount <> 0 or amount_currency <> 0
