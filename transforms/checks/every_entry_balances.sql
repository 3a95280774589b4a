-- Every entry's debits equal its credits, in home currency and in its own where it has one only.
--
-- table: ledger.journal_lines
-- follows: document
-- severity: error
select entry_id, document_type, document_id, event, sum(amount) as difference, sum(amount_currency) as difference_currency
from ledger.journal_lines
group by all
having sum(amount) <> 0 or (count(distinct currency) = 1 and sum(amount_currency) <> 0)
