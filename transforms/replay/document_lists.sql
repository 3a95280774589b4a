-- The BILL lists whose documents are posted, and the type of their postings; null where a list only adds to another's.
--
-- grain: one row per list
select list, document_type
from (
    values
    ('bills', 'bill'), ('vendor_credits', 'vendor_credit'), ('payments', 'payment'),
    ('invoices', 'invoice'), ('credit_memos', 'credit_memo'), ('received_payments', 'received_payment'),
    ('billing_statements', 'billing_statement'), ('money_movements', 'money_movement'),
    ('bill_details', null), ('invoice_details', null)
) as lists (list, document_type)
