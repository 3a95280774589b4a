-- Events whose active lines in open periods are not the expected lines; everything else is left alone.
--
-- Posting and difference of an event are compared, and replaced, each by itself.
--
-- grain: one row per document, event and kind of entry to post
-- key: document_type, document_id, event, is_late
-- owner: team:accounting
-- materialize: temporary
-- follows: document_id
-- published: no
with

-- Rows that are in both cancel out; text and versions are not accounting and do not count. A
-- difference stays where it was posted although the first open day moves on.
compared as (
    select
        document_type, document_id, event, is_late, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, type_date, if(is_late, null, date) as date,
        original_date, document_date, amount, amount_currency, 1 as side
    from ledger.lines_expected
    union all by name
    select
        document_type, document_id, event, is_late, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, type_date, if(is_late, null, date) as date,
        original_date, document_date, amount, amount_currency, -1 as side
    from ledger.lines_active
    where not is_closed
),

differing as (
    select document_type, document_id, event, is_late
    from compared
    group by
        document_type, document_id, event, is_late, line_key, account_id, party_id, currency,
        class_id, department_id, location_id, job_id, open_item_id, type_date, date, original_date,
        document_date, amount, amount_currency
    having sum(side) <> 0
)

select distinct
    document_type,  -- Kind of BILL document.
    document_id,    -- BILL's id of the document.
    event,          -- What happened to it.
    is_late         -- Its difference to closed entries, not its posting.
from differing
