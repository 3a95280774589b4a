-- Expected lines: what must be posted for each event on top of its closed entries, as postings and differences.
--
-- An event of an open day is posted as it is, at that day. What closed entries hold beyond, or short
-- of, the events of closed days is a difference, on the first open day: an event whose date leaves
-- the closed period is taken out there, and in at its own day.
--
-- grain: one row per line to stand in the open periods
-- key: document_type, document_id, event, line_key, account_id, party_id, currency, class_id, department_id, location_id, job_id, open_item_id, type_date, is_late
-- owner: team:accounting
-- materialize: temporary
-- follows: document_id
-- columns: ledger.lines_active
-- published: no
with

postings as (
    select postings.*, coalesce(date <= policies.closed_through, false) as is_closed
    from ledger.postings as postings
    cross join staging.policies as policies
),

late_differences as (
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, type_date,
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
            department_id, location_id, job_id, open_item_id, type_date, amount, amount_currency,
            date as original_date, document_date, version, source_line_id, category_source, description
        from postings
        where is_closed
        union all by name
        select
            document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
            department_id, location_id, job_id, open_item_id, type_date, -amount as amount,
            -amount_currency as amount_currency, source_line_id, description
        from ledger.lines_active
        where is_closed
    )
    group by all
    having sum(amount) <> 0 or sum(amount_currency) <> 0
),

-- What only leaves the closed period has the dates of the entry that it takes back.
closed_dates as (
    select
        document_type, document_id, event,
        arg_max(original_date, ordinal) as original_date,
        arg_max(document_date, ordinal) as document_date
    from ledger.lines_active
    where is_closed
    group by all
),

event_dates as (
    select
        document_type, document_id, event,
        max(date) as original_date, max(document_date) as document_date, max(version) as version
    from postings
    where is_closed
    group by all
),

expected as (
    select
        document_type, document_id, event, line_key, account_id, party_id, currency, class_id,
        department_id, location_id, job_id, open_item_id, type_date, amount, amount_currency, date,
        date as original_date, document_date, version, source_line_id, category_source,
        description, false as is_late
    from postings
    where not is_closed
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
    document_type, document_id,
    event,                                               -- What happened to it.
    line_key,                                            -- Tells the entry's lines apart.
    account_id,                                          -- Account debited (+) or credited (-).
    party_id, currency, class_id, department_id, location_id, job_id, open_item_id, type_date,
    amount::decimal(18, 2) as amount,                    -- Home currency, debit positive.
    amount_currency::decimal(18, 3) as amount_currency,  -- In the document's currency.
    date::date as date,                                  -- Day it is to be posted at.
    original_date,
    document_date,                                       -- Day BILL shows.
    version,                                             -- Version of the document, null where something is only taken out.
    source_line_id,
    category_source,                                     -- Who chose the account.
    description, is_late
from expected
