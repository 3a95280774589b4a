-- The chart of accounts of the books: the client's own accounts, and ours where a role needed one.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
with

-- An account that once played a control role keeps its sub-ledger, also after the role moved on.
controls as (
    select
        account_id,
        arg_max(
            case role
                when 'ap_control' then 'payables'
                when 'ar_control' then 'receivables'
                when 'ap_clearing' then 'money out clearing'
                when 'ar_clearing' then 'money in clearing'
                when 'vendor_advances' then 'vendor advances'
                when 'customer_credits' then 'customer credits'
            end,
            (decided_at, rowid)
        ) as control
    from decisions.account_roles
    where decided_at <= getvariable('as_of')
        and role in (
            'ap_control', 'ar_control', 'ap_clearing', 'ar_clearing', 'vendor_advances', 'customer_credits'
        )
    group by account_id
),

posted_elsewhere as (
    select account_id, bool_and(document_type in ('invoice', 'credit_memo')) as is_income
    from ledger.journal_lines
    where account_id not in (select account_id from categorized.chart)
    group by account_id
)

select
    account_id,                              -- BILL's id, or standard:<number> where we filled a role.
    account_number as account_code,          -- Number in the chart, if it has one.
    account_name,                            -- Name in the chart.
    account_type,                            -- Asset, Liability, Equity, Revenue, Cost of Goods Sold, Expense …
    account_subtype,                         -- Finer kind.
    normal_balance,                          -- debit or credit: the side on which it grows.
    statement,                               -- Balance Sheet or Income Statement.
    statement_section,                       -- Heading in the statement.
    cash_flow_activity,                      -- cash, operating, investing or financing; null for suspense.
    controls.control,                        -- Sub-ledger it controls: payables, receivables, money out clearing …
    roles,                                   -- Roles it plays in the posting rules, if any.
    source,                                  -- bill: the client's own; standard: filled in; unknown: BILL names it but lists it no more.
    is_archived,                             -- No longer offered in BILL.
    form_1099,                               -- Form that its payments to flagged vendors belong on, where BILL says so.
    box_1099                                 -- Box of that form.
from categorized.chart
left join controls using (account_id)
union all
select
    account_id, null, account_id, if(is_income, 'Revenue', 'Expense'), 'Unspecified',
    if(is_income, 'credit', 'debit'), 'Income Statement', if(is_income, 'Revenue', 'Operating Expenses'),
    'operating', controls.control, null, 'unknown', true, null, null
from posted_elsewhere
left join controls using (account_id)
