-- The activities add up to the change of cash, every month.
--
-- table: reports.cash_flow
-- severity: error
select month, sum(if(activity = 'change of cash', -amount, amount)) as difference
from reports.cash_flow
group by month
having sum(if(activity = 'change of cash', -amount, amount)) <> 0
