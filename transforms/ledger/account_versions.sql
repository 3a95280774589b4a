-- What each account was called and was, for which days, and in which syncs that was known.
--
-- A change of an account's type in BILL counts for the days after the last one that was closed when
-- the change came: what is closed keeps the type it had, and opening it again later does not change
-- that. With nothing closed it counts for all days. The name and number are those last known.
--
-- grain: one row per account, run of days with one type and run of syncs that knew of it
-- key: account_id, valid_from, known_from
-- owner: team:accounting
with

-- Of all that an account was known to be, what the reports read.
states as (
    select
        account_id, known_from as moment,
        {'account_code': account_code, 'account_name': account_name} as name,
        {
            'account_type': account_type, 'account_subtype': account_subtype,
            'normal_balance': normal_balance, 'statement': statement,
            'statement_section': statement_section, 'cash_flow_activity': cash_flow_activity
        } as type
    from ledger.account_history
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
