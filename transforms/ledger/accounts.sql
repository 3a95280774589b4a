-- The chart of accounts of the books: the client's own accounts, and ours where a role needed one.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
-- named: accounts
-- columns: ledger.account_history
-- macro: accounts_at(known_at)
select
    account_id, account_code, account_name, account_type, account_subtype, normal_balance, statement,
    statement_section, cash_flow_activity, control, roles, source, is_archived, form_1099, box_1099
from ledger.account_history
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
