-- The client's own chart of accounts in BILL, with its place in the statements.
--
-- grain: one row per account in BILL
-- key: account_id
-- owner: team:accounting
-- named: accounts
-- columns: staging.chart_versions
select
    account_id, account_number, account_name, account_type, account_subtype, normal_balance, statement,
    statement_section, cash_flow_activity, bill_account_type, parent_account_id, is_archived
from staging.chart_versions
qualify version = max(version) over (partition by account_id)
