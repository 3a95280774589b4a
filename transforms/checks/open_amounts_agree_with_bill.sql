-- What is open in the books is what BILL says is due.
--
-- table: reports.tie_out
-- severity: warn
select claim, amount_in_ledger, amount_in_documents, difference
from reports.tie_out
where difference <> 0 and claim like '%BILL says%'
