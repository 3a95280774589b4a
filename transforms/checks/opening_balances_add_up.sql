-- What was open when the books begin adds up to the opening trial balance, and opening balance equity is zero.
--
-- table: reports.tie_out
-- severity: warn
select claim, amount_in_ledger, amount_in_documents, difference
from reports.tie_out
where difference <> 0 and claim like 'Opening%'
