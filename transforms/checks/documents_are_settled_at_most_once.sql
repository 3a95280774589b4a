-- No bill, invoice, credit or payment is used for more than its amount.
--
-- table: ledger.settlements
-- severity: warn
select settled_type as document_type, settled_id as document_id, sum(amount) as amount_used, max(document_amount) as amount
from ledger.settlements
group by settled_type, settled_id
having sum(amount) > max(document_amount)
union all
select settling_type, settling_id, sum(settlements.amount), max(documents.amount)
from ledger.settlements as settlements
inner join ledger.documents as documents
    on documents.document_type = settlements.settling_type and documents.document_id = settlements.settling_id
where settling_type <> 'invoice'
group by settling_type, settling_id
having sum(settlements.amount) > max(documents.amount)
