-- Accrual profit less cash profit equals the difference of the balance sheet accounts, every month.
--
-- table: reports.cash_to_accrual_bridge
-- severity: error
select month, sum(if(account_id = 'net income', amount_difference, -amount_difference)) as difference
from reports.cash_to_accrual_bridge
group by month
having sum(if(account_id = 'net income', amount_difference, -amount_difference)) <> 0
