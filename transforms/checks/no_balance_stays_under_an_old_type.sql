-- No balance stays in one statement because its account's type was changed to one of the other.
--
-- Give the account its old type again and open a new one in BILL, or let the difference stand where
-- it was reported: nothing moves by itself.
--
-- table: reports.retyped_accounts
-- severity: warn
select account_id, account_code, account_name, account_type_before, account_type, first_day, balance_kept
from reports.retyped_accounts
where balance_kept <> 0
