-- The payables account equals the open bills less open credits, vendor by vendor, counted from the documents.
--
-- table: ledger.journal_lines
-- severity: error
with

from_documents as (
    select vendor_id as party_id, sum(amount_home) as amount from staging.bills where is_booked group by all
    union all
    select vendor_id, -sum(amount_home) from staging.vendor_credits where is_booked group by all
    union all
    select party_id, -sum(amount_home) from ledger.settlements where settling_type = 'payment' group by all
    union all
    -- A credit's application moves nothing but the difference of the two exchange rates.
    select party_id, -sum(amount_home)
    from ledger.settlements where settling_type = 'vendor_credit' group by all
    union all
    select party_id, -sum(amount)
    from ledger.postings_credit_applications
    where document_type = 'vendor_credit' and line_key = 'credit' group by all
    union all
    select 'bill:fees', sum(amount) from staging.billing_statements where is_booked and payment_date is null
    union all
    -- Brought in by a person, of no party.
    select postings.party_id, -sum(postings.amount)
    from ledger.postings_opening_balances as postings
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control = 'payables' group by all
),

from_journal as (
    select party_id, -sum(lines.amount) as amount
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control = 'payables'
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
