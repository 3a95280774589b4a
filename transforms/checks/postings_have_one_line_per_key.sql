-- No posting line stands twice: a join that fans out would double money.
--
-- table: ledger.postings
-- follows: document
-- severity: error
select document_type, document_id, event, line_key, count(*) as times
from ledger.postings
group by all
having count(*) > 1
