-- What must be posted for each event on top of its closed entries: all of it, or the difference.
--
-- Nothing closed: the event's postings as they are, at their own date. Something closed: what
-- should stand less what the closed entries hold, on the first open day.
--
-- grain: one row per line to stand in the open periods
-- key: document_type, document_id, event, line_key, account_id, party_id, currency, class_id, department_id, location_id, job_id, open_item_id
-- owner: team:accounting
-- published: no
with

closed_events as (
    select distinct document_type, document_id, event
    from ledger.lines_standing
    where is_closed
    union
    select distinct document_type, document_id, event
    from ledger.postings
    cross join staging.policies as policies
    where date <= policies.closed_through
),

open_postings as (
    select postings.*, false as is_late
    from ledger.postings as postings
    anti join closed_events using (document_type, document_id, event)
),

late_differences as (
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id,
        sum(amount) as amount,
        sum(amount_currency) as amount_currency,
        max(original_date) as original_date,
        max(document_date) as document_date,
        max(version) as version,
        max(source_line_id) as source_line_id,
        max(category_source) as category_source,
        max(description) as description
    from (
        select
            document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
            department_id, location_id, job_id, open_item_id, amount, amount_currency,
            date as original_date, document_date, version, source_line_id, category_source, description
        from ledger.postings
        semi join closed_events using (document_type, document_id, event)
        union all by name
        select
            document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
            department_id, location_id, job_id, open_item_id, -amount as amount,
            -amount_currency as amount_currency, source_line_id, description
        from ledger.lines_standing
        where is_closed
    )
    group by all
    having sum(amount) <> 0 or sum(amount_currency) <> 0
),

-- A void leaves no posting to take the dates from; then the closed entry has them.
closed_dates as (
    select
        document_type, document_id, event,
        max(original_date) as original_date, max(document_date) as document_date
    from ledger.lines_standing
    group by all
),

event_dates as (
    select
        document_type, document_id, event,
        max(date) as original_date, max(document_date) as document_date, max(version) as version
    from ledger.postings
    group by all
),

wanted as (
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, amount, amount_currency, date,
        date as original_date, document_date, version, source_line_id, category_source,
        description, is_late
    from open_postings
    union all by name
    select
        late.* exclude (original_date, document_date, version),
        policies.closed_through + 1 as date,
        coalesce(event_dates.original_date, closed_dates.original_date) as original_date,
        coalesce(event_dates.document_date, closed_dates.document_date) as document_date,
        event_dates.version,
        true as is_late
    from late_differences as late
    cross join staging.policies as policies
    left join event_dates using (document_type, document_id, event)
    left join closed_dates using (document_type, document_id, event)
)

select
    document_type,                                       -- Kind of BILL document.
    document_id,                                         -- BILL's id of the document.
    event,                                               -- What happened to it.
    line_key,                                            -- Tells the entry's lines apart.
    account_id,                                          -- Account debited (+) or credited (-).
    party_id,                                            -- Vendor or customer.
    currency,                                            -- Currency of the document.
    class_id,                                            -- Accounting class.
    department_id,                                       -- Department.
    location_id,                                         -- Location.
    job_id,                                              -- Job.
    open_item_id,                                        -- Document that this opens or settles.
    amount::decimal(18, 2) as amount,                    -- Home currency, debit positive.
    amount_currency::decimal(18, 2) as amount_currency,  -- In the document's currency.
    date::date as date,                                  -- Day it is to be posted at.
    original_date,                                       -- Day it would count for without closes.
    document_date,                                       -- Day BILL shows.
    version,                                             -- Version of the document, null when nothing should stand.
    source_line_id,                                      -- BILL's line it came from, if any.
    category_source,                                     -- Who chose the account.
    description,                                         -- Text for people.
    is_late                                              -- A difference to closed entries.
from wanted
