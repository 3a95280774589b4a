-- What was posted before the books begin, were it in them: for reports of a vendor's history and of Form 1099.
--
-- The journal holds of these documents only what was still open on that day. Lines of documents as
-- they are known now; nothing here is part of a balance.
--
-- grain: one row per line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
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
    description                           -- Text for people.
from ledger.postings_in_full
where document_type not in ('opening_balance', 'derived_transfer')
    and date <= (select books_begin_on from staging.policies)
