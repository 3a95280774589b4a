-- The clearing accounts hold what is listed as in flight, and every control account ties to documents.
--
-- table: reports.tie_out
-- severity: error
select claim, amount_in_ledger, amount_in_documents, difference
from reports.tie_out
where difference <> 0 and claim not like '%BILL says%' and claim not like 'Opening%'
