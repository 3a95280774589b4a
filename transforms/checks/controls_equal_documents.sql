-- Payables equal open bills and receivables open invoices, less open credits, party by party, counted from the documents.
--
-- table: ledger.journal_lines
-- severity: error
select control, party_id, sum(in_documents) as amount_in_documents, sum(in_journal) as amount_in_journal
from (
    select accounts.control, party_id, 0 as in_documents, sum(lines.amount) as in_journal
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control in ('payables', 'receivables') group by all
    union all
    select 'payables', vendor_id, -sum(amount_home), 0 from staging.bills where is_booked group by all
    union all
    select 'payables', vendor_id, sum(amount_home), 0 from staging.vendor_credits where is_booked group by all
    union all
    select 'receivables', customer_id, sum(amount_home), 0 from staging.invoices where is_booked group by all
    union all
    select 'receivables', customer_id, -sum(amount_home), 0 from staging.credit_memos where is_booked group by all
    union all
    select
        if(settled_type = 'bill', 'payables', 'receivables'), party_id,
        sum(if(settled_type = 'bill', amount_home, -amount_home)), 0
    from ledger.settlements group by all
    union all
    -- A credit's application moves nothing but the difference of the two exchange rates.
    select if(document_type = 'vendor_credit', 'payables', 'receivables'), party_id, sum(amount), 0
    from ledger.postings_credit_applications where line_key = 'credit' group by all
    union all
    select 'payables', 'bill:fees', -amount, 0
    from staging.billing_statements where is_booked and payment_date is null
    union all
    -- Brought in by a person, of no party.
    select accounts.control, null, postings.amount, 0
    from ledger.postings_opening_balances as postings
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control in ('payables', 'receivables')
)
group by control, party_id
having sum(in_documents) <> sum(in_journal)
