-- What each account was called and was, for which days, and in which syncs that was known.
--
-- A change of an account's type in BILL counts for the days after the last one that was closed when
-- the change came: what is closed keeps the type it had, and opening it again later does not change
-- that. With nothing closed it counts for all days. The name and number are those last known. An
-- account in a clearing role holds money on its way, whatever type BILL gave it; roles count alike.
--
-- grain: one row per account, run of days with one type and run of syncs that knew of it
-- key: account_id, valid_from, known_from
-- owner: team:accounting
with

readings as (
    select *
    from staging.chart_versions
    qualify version = max(version) over (partition by account_id, seen_at)
),

role_holders as (
    select
        account_id, decided_at,
        lead(decided_at) over (partition by role order by decided_at, rowid) as moved_at
    from decisions.account_roles
    where decided_at <= getvariable('as_of')
        and role similar to 'ap_clearing|ar_clearing|undeposited_funds|default_bank|bill_balance|bank:.+'
),

money_roles as (
    select account_id, moment, sum(sum(change)) over (partition by account_id order by moment) > 0 as holds_money
    from (
        select account_id, decided_at as moment, 1 as change from role_holders
        union all
        select account_id, moved_at, -1 from role_holders where moved_at is not null
    )
    group by account_id, moment
),

moments as (
    select account_id, seen_at as moment from readings
    union
    select account_id, moment from money_roles
),

-- Of all that an account was told to be, the changes of what the reports read.
states as (
    select
        moments.account_id, moments.moment,
        {
            'account_code': readings.account_number, 'account_name': readings.account_name
        } as name,
        {
            'account_type': readings.account_type, 'account_subtype': readings.account_subtype,
            'normal_balance': readings.normal_balance, 'statement': readings.statement,
            'statement_section': readings.statement_section,
            'cash_flow_activity': if(money_roles.holds_money, 'cash', readings.cash_flow_activity)
        } as type
    from moments
    asof inner join readings
        on moments.account_id = readings.account_id and moments.moment >= readings.seen_at
    asof left join money_roles
        on moments.account_id = money_roles.account_id and moments.moment >= money_roles.moment
),

changes as (
    select
        *,
        row_number() over told as change_no,
        type is distinct from lag(type) over told as is_type_changed
    from (
        select *
        from states
        qualify (name, type) is distinct from lag((name, type)) over (partition by account_id order by moment)
    )
    window told as (partition by account_id order by moment)
),

locks as (
    select decided_at, closed_through
    from ledger.closings
    qualify row_number() over (partition by decided_at order by closing_no desc) = 1
),

-- The last day that was closed when the change came; the day before the first one when none was. What
-- was told first counts for all days, a new name alone for none.
locked_changes as (
    select
        changes.*,
        case
            when change_no = 1 then date '0001-01-01' - 1
            when not is_type_changed then date '9999-12-31'
            else coalesce(locks.closed_through, date '0001-01-01' - 1)
        end as closed_through,
        lead(changes.moment, 1, timestamp '9999-12-31')
            over (partition by changes.account_id order by changes.change_no) as replaced_at
    from changes
    asof left join locks on changes.moment >= locks.decided_at
),

-- With all changes up to ``known`` told, ``counts`` counts after its own lock and up to the lowest one since.
runs as (
    select
        known.account_id, known.name, counts.type,
        counts.closed_through + 1 as valid_from,
        coalesce(
            min(counts.closed_through) over (
                partition by known.account_id, known.change_no order by counts.change_no desc
                rows between unbounded preceding and 1 preceding
            ),
            date '9999-12-31'
        ) as valid_to,
        if(known.change_no = 1, timestamp '0001-01-01', known.moment) as known_from,
        known.replaced_at as known_to
    from locked_changes as known
    inner join locked_changes as counts
        on counts.account_id = known.account_id and counts.change_no <= known.change_no
)

select
    account_id,                                                        -- BILL's id, or standard:<number>.
    valid_from,                                                        -- First day for which it is so.
    valid_to,                                                          -- Last day for which it is so.
    known_from,                                                        -- The sync or decision since which it was known so (UTC).
    known_to,                                                       -- The one that changed it (UTC).
    name.account_code as account_code,                                 -- Number in the chart, as known then.
    name.account_name as account_name,                                 -- Name in the chart, as known then.
    type.account_type as account_type,                                 -- Asset, Liability, Equity, Revenue, Cost of Goods Sold, Expense …
    type.account_subtype as account_subtype,                           -- Finer kind.
    type.normal_balance as normal_balance,                             -- debit or credit: the side on which it grows.
    type.statement as statement,                                       -- Balance Sheet or Income Statement.
    type.statement_section as statement_section,                       -- Heading in the statement.
    type.cash_flow_activity as cash_flow_activity                      -- cash, operating, investing or financing; null for suspense.
from runs
where valid_from <= valid_to
union all
select
    account_id, date '0001-01-01', date '9999-12-31', timestamp '0001-01-01', timestamp '9999-12-31',
    account_code, account_name, account_type, account_subtype, normal_balance, statement, statement_section,
    cash_flow_activity
from ledger.accounts
where account_id not in (select account_id from readings)
