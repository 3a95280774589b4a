-- The cash basis view balances: it takes up exactly what was settled.
--
-- table: ledger.cash_basis_lines
-- severity: error
select date, sum(amount) as difference
from ledger.cash_basis_lines
group by date
having sum(amount) <> 0
