-- What was posted before the books begin, were it in them: for reports of a vendor's history and of Form 1099.
--
-- The journal holds of these documents only what was still open on that day; nothing here is part of
-- a balance.
--
-- grain: one row per line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- macro: lines_before_books_at(known_at)
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
from (
    select *
    from ledger.lines_before_books_history
    where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    qualify row_number() over (
        partition by document_type, document_id, event, line_key order by change_no desc
    ) = 1
)
where not is_gone
