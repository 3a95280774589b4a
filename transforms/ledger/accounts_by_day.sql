-- What each account is for the postings of each day: reports read an account's type here and nowhere else.
--
-- grain: one row per account and run of days with one type
-- key: account_id, valid_from
-- owner: team:accounting
-- macro: accounts_by_day_at(known_at)
select
    versions.account_id,                                               -- BILL's id, or standard:<number>.
    versions.valid_from,                                               -- First day for whose postings it is so.
    versions.valid_to,                                                 -- Last day for whose postings it is so.
    versions.account_code,                                             -- Number in the chart.
    versions.account_name,                                             -- Name in the chart.
    versions.account_type,                                             -- Asset, Liability, Equity, Revenue, Cost of Goods Sold, Expense …
    versions.account_subtype,                                          -- Finer kind.
    versions.normal_balance,                                           -- debit or credit: the side on which it grows.
    versions.statement,                                                -- Balance Sheet or Income Statement.
    versions.statement_section,                                        -- Heading in the statement.
    versions.cash_flow_activity,                                       -- cash, operating, investing or financing; null for suspense.
    accounts.control                                                   -- Sub-ledger it controls: payables, receivables, money out clearing …
from ledger.account_versions as versions
left join ledger.accounts as accounts on accounts.account_id = versions.account_id
where versions.known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and versions.known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
