-- No document counts on the cash basis for more than it is, however much was paid on it.
--
-- table: ledger.cash_basis_lines
-- follows: document
-- severity: error
with

documents as (
    select lines.document_type, lines.document_id, sum(lines.amount) as amount
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    where lines.event in ('entered', 'billed', 'opened')
        and (accounts.control is null or accounts.control not in ('payables', 'receivables'))
    group by lines.document_type, lines.document_id
),

-- What a credit's application gains or loses in exchange is not the credit's.
counted as (
    select document_type, document_id, sum(amount) as amount
    from ledger.cash_basis_lines
    where document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo')
        and basis_line_id not like '%:exchange'
    group by document_type, document_id
)

select counted.document_type, counted.document_id, counted.amount as amount_counted, documents.amount
from counted
inner join documents using (document_type, document_id)
where abs(counted.amount) > abs(documents.amount) or sign(counted.amount) * sign(documents.amount) < 0
