-- Events whose open entries are not exactly what should stand; everything else is left alone.
--
-- grain: one row per document and event to post
-- key: document_type, document_id, event
-- owner: team:accounting
-- published: no
with

-- Rows that are in both cancel out; text and versions are not accounting and do not count.
compared as (
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, date, original_date, document_date,
        amount, amount_currency, 1 as side
    from ledger.lines_wanted
    union all by name
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id,
        -- A difference stays where it was posted although the first open day moves on.
        if(entry_kind = 'late_adjustment', null, date) as date,
        original_date, document_date, amount, amount_currency, -1 as side
    from ledger.lines_standing
    where not is_closed
),

late_events as (
    select distinct document_type, document_id, event from ledger.lines_wanted where is_late
),

differing as (
    select document_type, document_id, event
    from (
        select
            compared.* exclude (date),
            -- Whether both sides are differences decides if the day is compared.
            if(late_events.event is not null and side = 1, null, compared.date) as date
        from compared
        left join late_events using (document_type, document_id, event)
    )
    group by
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, date, original_date, document_date,
        amount, amount_currency
    having sum(side) <> 0
)

select distinct
    document_type,  -- Kind of BILL document.
    document_id,    -- BILL's id of the document.
    event           -- What happened to it.
from differing
