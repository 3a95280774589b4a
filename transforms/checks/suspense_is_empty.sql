-- Nothing waits in suspense: no document's header differs from its lines beyond rounding.
--
-- table: ledger.journal_lines
-- severity: warn
select document_type, document_id, sum(amount) as amount
from ledger.journal_lines
where account_id = (select suspense from ledger.role_accounts)
group by all
having sum(amount) <> 0
