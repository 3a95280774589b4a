-- What changed in a closed period since it was closed: nothing, unless it was reopened.
--
-- grain: one row per close and account
-- key: closed_through, closed_at, account_id
-- owner: team:accounting
with

closes as (
    select
        closed_through,
        decided_at as closed_at,
        decided_by as closed_by,
        (
            select arg_min(reopenings.reason, reopenings.decided_at)
            from decisions.closes as reopenings
            where reopenings.action = 'reopen'
                and reopenings.decided_at > closes.decided_at
                and reopenings.closed_through < closes.closed_through
        ) as reopened_because
    from decisions.closes as closes
    where action = 'close' and decided_at <= getvariable('as_of')
),

-- The journal keeps every line with the moment it was learnt, so the old close can be added up again.
balances as (
    select
        closes.closed_through, closes.closed_at, closes.closed_by, closes.reopened_because, lines.account_id,
        sum(lines.amount) filter (where lines.posted_at <= closes.closed_at) as balance_at_close,
        sum(lines.amount) as balance_now
    from closes
    inner join ledger.journal_lines as lines on lines.date <= closes.closed_through
    group by all
)

select
    closed_through,                                                    -- Last locked day of that close.
    closed_at,                                                         -- When it was closed.
    closed_by,                                                         -- By whom.
    reopened_because,                                                  -- Reason of the first reopening, if any.
    balances.account_id,                                               -- Account.
    accounts.account_name,                                             -- Its name.
    coalesce(balance_at_close, 0)::decimal(18, 2) as balance_at_close, -- Balance on that day as it was closed.
    balance_now::decimal(18, 2) as balance_now,                        -- Balance on that day as it is now.
    (balance_now - coalesce(balance_at_close, 0))::decimal(18, 2) as difference  -- What changed.
from balances
left join ledger.accounts as accounts on accounts.account_id = balances.account_id
