-- The balance that BILL holds for the client is not below zero: what was paid from it had come in before.
--
-- Below zero, money brought in is missing: a transfer from the bank that BILL does not list, or what
-- the balance was when the books began.
--
-- table: ledger.journal_lines
-- severity: warn
select account_id, sum(amount) as balance
from ledger.journal_lines
where account_id = (select bill_balance from ledger.role_accounts)
    and account_id is distinct from (select default_bank from ledger.role_accounts)
group by account_id
having sum(amount) < 0
