-- Each control account beside the documents that explain it; differences are zero in good books.
--
-- Where the books begin on a day, the documents open that day stand beside the balances brought in, and
-- opening balance equity beside nothing: these are of that day, whatever the day of the report.
--
-- What BILL says is due it says of now alone: of a past day there is nothing to compare. Where lists are
-- missing, equal amounts prove nothing about what is in them.
--
-- grain: one row per claim
-- key: claim
-- owner: team:accounting
-- macro: tie_out_at(report_date, known_at)
with

balances as (
    select accounts.control, sum(lines.amount) as amount
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    cross join ledger.books as books
    where accounts.control is not null
        and lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
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

bill_claims (document_type, claim) as (
    values
    ('bill', 'Open bills equal what BILL says is due'),
    ('invoice', 'Open invoices equal what BILL says is due')
),

-- Compared in all they ever came to, also by entries of days to come: so does BILL.
due_in_bill as (
    select
        bill_claims.claim, coalesce(sum(amount_open), 0) as amount_open,
        coalesce(sum(amount_due), 0) as amount_due
    from bill_claims
    cross join ledger.books
    left join ledger.document_facts as documents
        on documents.document_type = bill_claims.document_type and is_booked and amount_due is not null
    where coalesce(getvariable('report_date'), known_until::date) >= known_until::date
        and getvariable('known_at') is null
    group by bill_claims.claim
),

claims as (
    select
        controls.claim, coalesce(balances.amount, 0) as amount_in_ledger,
        coalesce(open_amounts.amount, 0) as amount_in_documents
    from controls
    left join balances using (control)
    left join open_amounts using (control)
    union all
    select claim, amount_open, amount_due
    from due_in_bill
    union all
    select 'Opening balance of ' || control || ' is that of the documents open then', amount, amount_of_documents
    from ledger.opening_trial_balance
    where amount is not null and amount_of_documents is not null
    union all
    select 'Opening balance equity is zero once all is brought in', sum(lines.amount), 0
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    inner join ledger.books as books on books.books_begin_on is not null
    where list_contains(string_split(coalesce(accounts.roles, ''), ', '), 'opening_balance')
        and lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    having count(*) > 0
)

select
    claim,                                                                      -- What should be equal.
    amount_in_ledger::decimal(18, 2) as amount_in_ledger,                       -- Balance in the journal.
    amount_in_documents::decimal(18, 2) as amount_in_documents,                 -- Sum of the documents.
    (amount_in_ledger - amount_in_documents)::decimal(18, 2) as difference,     -- Zero when it ties.
    (
        select string_agg(list, ', ' order by list) from ledger.lists_missing
    ) as lists_missing                                                          -- Lists of BILL that these books are made without; null: complete.
from claims
