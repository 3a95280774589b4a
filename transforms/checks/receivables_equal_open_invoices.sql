-- The receivables account equals the open invoices less open credits, customer by customer, counted from the documents.
--
-- table: ledger.journal_lines
-- severity: error
with

from_documents as (
    select customer_id as party_id, sum(amount_home) as amount from staging.invoices where is_booked group by all
    union all
    select customer_id, -sum(amount_home) from staging.credit_memos where is_booked group by all
    union all
    select party_id, -sum(amount_home)
    from ledger.settlements where settled_type = 'invoice' group by all
    union all
    -- A credit's application moves nothing but the difference of the two exchange rates.
    select party_id, sum(amount)
    from ledger.postings_credit_applications
    where document_type = 'credit_memo' and line_key = 'credit' group by all
    union all
    -- Brought in by a person, of no party.
    select postings.party_id, sum(postings.amount)
    from ledger.postings_opening_balances as postings
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control = 'receivables' group by all
),

from_journal as (
    select party_id, sum(lines.amount) as amount
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control = 'receivables'
    group by party_id
)

select party_id, sum(d) as amount_in_documents, sum(j) as amount_in_journal
from (
    select party_id, amount as d, 0 as j from from_documents
    union all
    select party_id, 0, amount from from_journal
)
group by party_id
having coalesce(sum(d), 0) <> coalesce(sum(j), 0)
