-- What each account was called and was, which roles it played and which box of Form 1099 it had, and when that was known.
--
-- An account in a clearing role holds money on its way, and what is or was payables, receivables or an
-- advance is of operations, whatever type BILL gave it. What BILL names and its chart does not list is
-- income while only sales name it, else a cost, from its first posting until it is listed.
--
-- grain: one row per account and run of moments that knew the same of it
-- key: account_id, known_from
-- owner: team:accounting
with

listed as (
    select
        account_id, seen_at, account_number, account_name, account_type, account_subtype, normal_balance,
        statement, statement_section, cash_flow_activity, 'bill' as source, is_archived
    from staging.chart_versions
    qualify version = max(version) over (partition by account_id, seen_at)
),

-- What BILL does not tell of an account has no history but that of its roles and postings.
readings as (
    select * from listed
    union all by name
    select
        chart.account_id, timestamp '0001-01-01' as seen_at, chart.account_number, chart.account_name,
        chart.account_type, chart.account_subtype, chart.normal_balance, chart.statement,
        chart.statement_section,
        if(standard.account_id is null, chart.cash_flow_activity, standard.cash_flow_activity) as cash_flow_activity,
        chart.source, chart.is_archived
    from categorized.chart as chart
    left join staging.standard_accounts as standard on standard.account_id = chart.account_id
    where chart.source <> 'bill' and chart.account_id not in (select account_id from ledger.unlisted_postings)
    union all by name
    select
        account_id, posted_at as seen_at, account_id as account_name,
        if(is_income, 'Revenue', 'Expense') as account_type, 'Unspecified' as account_subtype,
        if(is_income, 'credit', 'debit') as normal_balance, 'Income Statement' as statement,
        if(is_income, 'Revenue', 'Operating Expenses') as statement_section,
        'operating' as cash_flow_activity, 'unknown' as source, true as is_archived
    from ledger.unlisted_postings
    qualify row_number() over (partition by account_id, is_income order by posted_at) = 1
),

-- Only BILL's older interface says which box of Form 1099 an account's payments belong in.
boxes as (
    select
        id as account_id, seen_at,
        case when not is_archived then form end as form,
        if(form is null or is_archived, null, nullif(try_cast(box as integer), 0)) as box
    from (
        select
            id, seen_at, is_archived,
            case json_extract_string(document, '$.ca1099FormType')
                when '1' then '1099-MISC'
                when '2' then '1099-NEC'
            end as form,
            json_extract_string(document, '$.ca1099Type') as box
        from staging.versions_known
        where list = 'account_details'
        qualify version = max(version) over (partition by id, seen_at)
    )
),

role_holders as (
    select
        role, account_id, decided_at,
        lead(decided_at, 1, timestamp '9999-12-31') over (partition by role order by decided_at, rowid) as moved_at
    from decisions.account_roles
    where decided_at <= getvariable('as_of')
),

-- An account that once played a control role keeps its sub-ledger, also after the role moved on.
controls as (
    select
        account_id, decided_at, control_of(role) as control
    from decisions.account_roles
    where decided_at <= getvariable('as_of') and control is not null
    qualify row_number() over (partition by account_id, decided_at order by rowid desc) = 1
),

moments as (
    select account_id, seen_at as moment from readings
    union
    select account_id, seen_at from boxes
    union
    select account_id, decided_at from role_holders
    union
    select account_id, moved_at from role_holders where moved_at < timestamp '9999-12-31'
),

roles as (
    select
        moments.account_id, moments.moment, string_agg(role_holders.role, ', ' order by role_holders.role) as roles,
        bool_or(holds_money(role_holders.role)) as holds_money
    from moments
    inner join role_holders
        on role_holders.account_id = moments.account_id
        and moments.moment >= role_holders.decided_at and moments.moment < role_holders.moved_at
    group by moments.account_id, moments.moment
),

states as (
    select
        moments.account_id, moments.moment,
        {
            'account_code': readings.account_number, 'account_name': readings.account_name,
            'account_type': readings.account_type, 'account_subtype': readings.account_subtype,
            'normal_balance': readings.normal_balance, 'statement': readings.statement,
            'statement_section': readings.statement_section,
            'cash_flow_activity': case
                when roles.holds_money then 'cash'
                when controls.control in ('payables', 'receivables', 'vendor advances', 'customer credits')
                    then 'operating'
                else readings.cash_flow_activity
            end,
            'control': controls.control, 'roles': roles.roles, 'source': readings.source,
            'is_archived': readings.is_archived, 'form_1099': boxes.form, 'box_1099': boxes.box
        } as state
    from moments
    asof inner join readings
        on readings.account_id = moments.account_id and moments.moment >= readings.seen_at
    asof left join boxes on boxes.account_id = moments.account_id and moments.moment >= boxes.seen_at
    asof left join controls on controls.account_id = moments.account_id and moments.moment >= controls.decided_at
    left join roles on roles.account_id = moments.account_id and roles.moment = moments.moment
),

changes as (
    select *
    from states
    qualify state is distinct from lag(state) over (partition by account_id order by moment)
)

select
    account_id,                                        -- BILL's id, or standard:<number> where we filled a role.
    state.account_code as account_code,                -- Number in the chart, if it has one.
    state.account_name as account_name,                -- Name in the chart.
    state.account_type as account_type,                -- Asset, Liability, Equity, Revenue, Cost of Goods Sold, Expense …
    state.account_subtype as account_subtype,          -- Finer kind.
    state.normal_balance as normal_balance,            -- debit or credit: the side on which it grows.
    state.statement as statement,                      -- Balance Sheet or Income Statement.
    state.statement_section as statement_section,      -- Heading in the statement.
    state.cash_flow_activity as cash_flow_activity,    -- cash, operating, investing or financing; null for suspense.
    state.control as control,                          -- Sub-ledger it controls: payables, receivables, money out clearing …
    state.roles as roles,                              -- Roles it plays in the posting rules, if any.
    state.source as source,                            -- bill: the client's own; standard: filled in; unknown: named by BILL, but no longer in its chart.
    state.is_archived as is_archived,                  -- No longer offered in BILL.
    state.form_1099 as form_1099,                      -- Form that its payments to flagged vendors belong on, where BILL says so.
    state.box_1099 as box_1099,                        -- Box of that form.
    if(
        row_number() over told = 1, timestamp '0001-01-01', moment
    ) as known_from,                                   -- The sync or decision since which it was known so (UTC); the first holds for all before.
    lead(moment, 1, timestamp '9999-12-31') over told as known_to  -- The one that changed it (UTC).
from changes
window told as (partition by account_id order by moment)
