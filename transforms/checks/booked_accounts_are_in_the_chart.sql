-- Every account with something booked on it is in the client's chart, with its name and type.
--
-- One that BILL does not list counts as income where only sales name it, else as an expense, until
-- the chart lists it again or its lines are given another account.
--
-- table: ledger.accounts
-- severity: warn
select accounts.account_id, count(*) as document_count, sum(booked.amount) as balance
from (
    select account_id, document_type, document_id, sum(amount) as amount
    from ledger.journal_lines
    group by account_id, document_type, document_id
    having sum(amount) <> 0
) as booked
inner join ledger.accounts as accounts using (account_id)
where accounts.source = 'unknown'
    -- A person's word makes an account payables or receivables: its type is known.
    and accounts.control is null
group by accounts.account_id
