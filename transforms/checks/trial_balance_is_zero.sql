-- Debits equal credits over all accounts.
--
-- table: reports.trial_balance
-- severity: error
select sum(debit) as debit, sum(credit) as credit
from reports.trial_balance
having sum(debit) <> sum(credit)
