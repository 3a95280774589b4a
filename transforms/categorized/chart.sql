-- Every account that exists for this client, and whether a line may be categorized to it.
--
-- Numbers and names are the client's first: a standard account whose number the client's chart has
-- gets the next free one, and one whose name it has says that it is the standard one.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
with

-- A chart without any income or expense account is no chart to categorize with: the standard one
-- is offered whole then, else only where it plays a role.
client_chart as (
    select count(*) filter (where statement = 'Income Statement' and not is_archived) > 0 as is_usable
    from staging.chart_of_accounts
),

displaced as (
    select
        account_id, account_number::bigint as number,
        row_number() over (order by account_number) as nth
    from staging.standard_accounts
    where account_number in (select trim(account_number) from staging.chart_of_accounts)
),

used as (
    select trim(account_number) as number from staging.chart_of_accounts
    union
    select account_number from staging.standard_accounts
),

-- Those among which each of them finds one: as many after the last of them as there are taken.
free_numbers as (
    select number, row_number() over (order by number) as place
    from (
        select
            unnest(
                range(min(number) + 1, max(number) + count(*) + (select count(*) from used) + 2)
            ) as number
        from displaced
    ) as candidates
    where number::varchar not in (select number from used where number is not null)
),

-- In the order of their numbers, each takes the first free one after its own that none before took.
moved as (
    select
        account_id,
        nth + max(place - nth) over (order by nth) as place
    from displaced
    asof join free_numbers on displaced.number < free_numbers.number
),

client_names as (select distinct plain_text(account_name) as words from staging.chart_of_accounts),

standard_accounts as (
    select
        standard.* replace (
            coalesce(free_numbers.number::varchar, standard.account_number) as account_number,
            case
                when plain_text(standard.account_name) not in (from client_names)
                    then standard.account_name
                when plain_text(standard.account_name || ' (standard)') not in (from client_names)
                    then standard.account_name || ' (standard)'
                else standard.account_name || ' (' || standard.account_id || ')'
            end as account_name
        )
    from staging.standard_accounts as standard
    left join moved using (account_id)
    left join free_numbers using (place)
),

accounts as (
    select
        account_id, account_number, account_name, account_type, account_subtype, normal_balance,
        statement, statement_section, cash_flow_activity, 'bill' as source, is_archived,
        bill_account_type = 'NON_POSTING' as is_heading
    from staging.chart_of_accounts
    union all
    select
        standard.account_id, standard.account_number, standard.account_name, standard.account_type,
        standard.account_subtype, standard.normal_balance, standard.statement,
        standard.statement_section, standard.cash_flow_activity, 'standard',
        false, false
    from standard_accounts as standard
    cross join client_chart
    where not client_chart.is_usable
        or standard.account_id in (select account_id from categorized.account_roles)
        or standard.account_id in (
            select account_id from decisions.categories where decided_at <= getvariable('as_of')
            union all
            select unnest(parts).account_id
            from decisions.categories
            where decided_at <= getvariable('as_of')
        )
        or standard.account_id in (
            select account_id from decisions.opening_balances where decided_at <= getvariable('as_of')
        )
),

roles as (
    select
        account_id, string_agg(role, ', ' order by role) as roles, bool_or(holds_money(role)) as holds_money,
        bool_or(
            holds_money(role) or control_of(role) is not null or role like 'card:%'
            or role in (
                'card_default', 'suspense', 'rounding', 'fx_realized', 'fx_unrealized', 'uncategorized_expense',
                'uncategorized_income', 'sales_tax', 'opening_balance', 'retained_earnings'
            )
        ) as posts_by_rule
    from categorized.account_roles
    group by account_id
),

-- BILL sometimes names an account that its own chart no longer lists: what only sales name is income.
unknown_accounts as (
    select account_id, is_income
    from categorized.accounts_coded
    where account_id not in (select account_id from accounts)
)

select
    accounts.account_id,                 -- BILL's id, or standard:<number>.
    accounts.account_number,             -- Number in the chart, if it has one.
    accounts.account_name,               -- Name in the chart.
    accounts.account_type,               -- Asset, Liability, Equity, Revenue, Cost of Goods Sold …
    accounts.account_subtype,            -- Finer kind.
    accounts.normal_balance,             -- debit or credit: the side on which it grows.
    accounts.statement,                  -- Balance Sheet or Income Statement.
    accounts.statement_section,          -- Heading in the statement.
    if(roles.holds_money, 'cash', accounts.cash_flow_activity)
        as cash_flow_activity,           -- cash, operating, investing or financing.
    roles.roles,                         -- Roles it plays in the posting rules, if any.
    accounts.source,                     -- bill: the client's own; standard: filled in by us.
    accounts.is_archived,                -- No longer offered in BILL.
    (
        not accounts.is_archived
        and not accounts.is_heading
        and accounts.account_subtype not in (
            'Accounts Payable', 'Accounts Receivable', 'Bank', 'Clearing', 'Credit Card',
            'Suspense', 'Retained Earnings', 'Opening Balance', 'Unspecified'
        )
        and accounts.account_type <> 'Equity'
        and not coalesce(roles.posts_by_rule, false)
    ) as is_candidate                    -- A line may be categorized to it.
from accounts
left join roles using (account_id)
union all
select
    account_id, null, account_id, if(is_income, 'Revenue', 'Expense'), 'Unspecified',
    if(is_income, 'credit', 'debit'), 'Income Statement', if(is_income, 'Revenue', 'Operating Expenses'),
    'operating', null, 'unknown', true, false
from unknown_accounts
