-- Every bank account that moved money has a ledger account; until it has, its money stays in clearing.
--
-- A person says which one it is in the settings, or links it in BILL; payables and receivables are none.
--
-- table: ledger.funding_accounts
-- severity: warn
select role, funding_account_name, first_date, use_count, amount_waiting
from ledger.funding_accounts
where account_id is null and use_count > 0
