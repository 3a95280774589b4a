-- The chart of accounts of the books: the client's own accounts, and ours where a role needed one.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
-- macro: accounts_at(known_at)
select
    account_id,                              -- BILL's id, or standard:<number> where we filled a role.
    account_code,                            -- Number in the chart, if it has one.
    account_name,                            -- Name in the chart.
    account_type,                            -- Asset, Liability, Equity, Revenue, Cost of Goods Sold, Expense …
    account_subtype,                         -- Finer kind.
    normal_balance,                          -- debit or credit: the side on which it grows.
    statement,                               -- Balance Sheet or Income Statement.
    statement_section,                       -- Heading in the statement.
    cash_flow_activity,                      -- cash, operating, investing or financing; null for suspense.
    control,                                 -- Sub-ledger it controls: payables, receivables, money out clearing …
    roles,                                   -- Roles it plays in the posting rules, if any.
    source,                                  -- bill: the client's own; standard: filled in; unknown: BILL names it but lists it no more.
    is_archived,                             -- No longer offered in BILL.
    form_1099,                               -- Form that its payments to flagged vendors belong on, where BILL says so.
    box_1099                                 -- Box of that form.
from ledger.account_history
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
