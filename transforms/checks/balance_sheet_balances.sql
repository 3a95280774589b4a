-- Assets equal liabilities and equity.
--
-- table: reports.balance_sheet
-- severity: error
select sum(balance) as difference
from reports.balance_sheet
having sum(balance) <> 0
