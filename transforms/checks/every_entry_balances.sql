-- Every entry's debits equal its credits, in home currency.
--
-- table: ledger.journal_lines
-- severity: error
select entry_id, document_type, document_id, event, sum(amount) as difference
from ledger.journal_lines
group by all
having sum(amount) <> 0
