-- No bill, invoice, credit or payment is used for more than its amount.
--
-- table: ledger.settlements
-- severity: warn
select settled_type as document_type, settled_id as document_id, sum(amount) as amount_used, max(document_amount) as amount
from ledger.settlements
group by settled_type, settled_id
having sum(amount) > max(document_amount)
union all
select 'vendor_credit', settling_id, sum(settlements.amount), max(credits.amount)
from ledger.settlements as settlements
inner join staging.vendor_credits as credits on credits.vendor_credit_id = settlements.settling_id
where settling_type = 'vendor_credit'
group by settling_id
having sum(settlements.amount) > max(credits.amount)
union all
select 'credit_memo', settling_id, sum(settlements.amount), max(credits.amount)
from ledger.settlements as settlements
inner join staging.credit_memos as credits on credits.credit_memo_id = settlements.settling_id
where settling_type = 'credit_memo'
group by settling_id
having sum(settlements.amount) > max(credits.amount)
union all
select 'payment', settling_id, sum(settlements.amount), max(payments.amount)
from ledger.settlements as settlements
inner join staging.payments as payments on payments.payment_id = settlements.settling_id
where settling_type = 'payment'
group by settling_id
having sum(settlements.amount) > max(payments.amount)
union all
select 'received_payment', settling_id, sum(settlements.amount), max(receipts.amount)
from ledger.settlements as settlements
inner join staging.received_payments as receipts on receipts.received_payment_id = settlements.settling_id
where settling_type = 'received_payment'
group by settling_id
having sum(settlements.amount) > max(receipts.amount)
