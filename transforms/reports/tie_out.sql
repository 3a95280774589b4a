-- Each control account beside the documents that explain it; differences are zero in good books.
--
-- grain: one row per claim
-- key: claim
-- owner: team:accounting
with

balances as (
    select accounts.control, sum(lines.amount) as amount
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    where accounts.control is not null
    group by accounts.control
),

open_amounts as (
    select control, sum(amount_open) as amount from reports.open_items group by control
    union all
    select control, sum(amount) from reports.clearing_in_flight group by control
),

controls (control, claim) as (
    values
    ('payables', 'Accounts payable equal open bills less open credits'),
    ('receivables', 'Accounts receivable equal open invoices less open credits'),
    ('vendor advances', 'Vendor advances equal payments not yet matched by a bill'),
    ('customer credits', 'Customer credits equal receipts not yet applied'),
    ('money out clearing', 'Money out clearing equals payments in flight'),
    ('money in clearing', 'Money in clearing equals receipts in flight')
),

scheduled as (
    select paid.billId as bill_id, sum(paid.amount) as amount
    from (
        select unnest(bill_payments) as paid from staging.payments where payment_state = 'scheduled'
    )
    group by paid.billId
),

claims as (
    select
        controls.claim, coalesce(balances.amount, 0) as amount_in_ledger,
        coalesce(open_amounts.amount, 0) as amount_in_documents
    from controls
    left join balances using (control)
    left join open_amounts using (control)
    union all
    -- BILL's own figure: what it says is due, and what it took off for payments not yet started.
    -- Its scheduled amount is no help: it holds payments until they clear, long after they started.
    select
        'Open bills equal what BILL says is due',
        coalesce(sum(documents.amount_open), 0),
        coalesce(sum(bills.amount_due + coalesce(scheduled.amount, 0)), 0)
    from staging.bills as bills
    left join scheduled on scheduled.bill_id = bills.bill_id
    inner join ledger.documents as documents
        on documents.document_type = 'bill' and documents.document_id = bills.bill_id
    where bills.is_booked and bills.amount_due is not null
    union all
    select
        'Open invoices equal what BILL says is due',
        coalesce(sum(documents.amount_open), 0), coalesce(sum(invoices.amount_due), 0)
    from staging.invoices as invoices
    inner join ledger.documents as documents
        on documents.document_type = 'invoice' and documents.document_id = invoices.invoice_id
    where invoices.is_booked and invoices.amount_due is not null
)

select
    claim,                                                                      -- What should be equal.
    amount_in_ledger::decimal(18, 2) as amount_in_ledger,                       -- Balance in the journal.
    amount_in_documents::decimal(18, 2) as amount_in_documents,                 -- Sum of the documents.
    (amount_in_ledger - amount_in_documents)::decimal(18, 2) as difference      -- Zero when it ties.
from claims
