-- The client's own chart of accounts in BILL, with its place in the statements.
--
-- grain: one row per account in BILL
-- key: account_id
-- owner: team:accounting
select
    account_id,            -- BILL's id of the account.
    account_number,        -- The client's number, if it uses numbers.
    account_name,          -- The client's name for it.
    account_type,          -- Asset, Liability, Equity, Revenue …
    account_subtype,       -- Finer kind, from BILL's type.
    normal_balance,        -- debit or credit: the side on which it grows.
    statement,             -- Balance Sheet or Income Statement.
    statement_section,     -- Heading in the statement.
    cash_flow_activity,    -- cash, operating, investing or financing.
    bill_account_type,     -- BILL's own type.
    parent_account_id,     -- The account above it, if any.
    is_archived            -- No longer offered in BILL; its history stays.
from staging.chart_versions
qualify version = max(version) over (partition by account_id)
