-- Every BILL document with its open amount, booked or not.
--
-- grain: one row per document
-- key: document_type, document_id
-- owner: team:accounting
-- follows: document_id
with

-- BILL takes payments off what is due when they are scheduled; here they count when they start. Its
-- own scheduled amount is no help: it holds payments until they clear, long after they started.
scheduled as (
    select paid.billId as bill_id, sum(paid.amount) as amount
    from (
        select unnest(bill_payments) as paid from staging.payments where payment_state = 'scheduled'
    )
    group by paid.billId
),

documents as (
    select
        'bill' as document_type, bill_id as document_id, bill_number as number, vendor_id as party_id,
        document_date, bill_date as date, due_date, description, currency, bills.amount, amount_home, is_rate_given, doubtful,
        amount_due + coalesce(scheduled.amount, 0) as amount_due, scheduled.amount as amount_scheduled,
        payment_status as status, approval_status, is_booked, is_archived, version, updated_at
    from staging.bills as bills
    left join scheduled using (bill_id)
    union all by name
    select
        'vendor_credit' as document_type, vendor_credit_id as document_id, credit_number as number,
        vendor_id as party_id, credit_date as document_date, credit_date as date, description,
        currency, amount, amount_home, doubtful, status, is_booked, is_archived, version, updated_at
    from staging.vendor_credits
    union all by name
    select
        'payment' as document_type, payment_id as document_id, payment_number as number,
        vendor_id as party_id, payment_date as document_date, payment_date as date, description,
        currency, amount, amount_home, is_home_amount_given as is_rate_given, doubtful, status, is_booked,
        false as is_archived, version, updated_at,
        funding_type in ('CARD_ACCOUNT', 'AP_CARD') or disbursement_type in ('VIRTUAL_CARD', 'AMEX')
            as is_paid_by_card, funding_account_id
    from staging.payments
    union all by name
    select
        'invoice' as document_type, invoice_id as document_id, invoice_number as number,
        customer_id as party_id, document_date, invoice_date as date, due_date, description,
        currency, amount, amount_home, is_home_amount_given as is_rate_given, doubtful, amount_due, status, is_booked, is_archived, version, updated_at
    from staging.invoices
    union all by name
    select
        'credit_memo' as document_type, credit_memo_id as document_id, credit_number as number,
        customer_id as party_id, credit_date as document_date, credit_date as date, description,
        currency, amount, amount_home, doubtful, status, is_booked, is_archived, version, updated_at
    from staging.credit_memos
    union all by name
    select
        'received_payment' as document_type, received_payment_id as document_id,
        receipt_number as number, customer_id as party_id, receipt_date as document_date,
        receipt_date as date, description, currency, amount, amount_home,
        is_home_amount_given as is_rate_given, doubtful, status, is_booked,
        false as is_archived, version, updated_at, deposit_account_id as funding_account_id
    from staging.received_payments
    union all by name
    select
        'billing_statement' as document_type, billing_statement_id as document_id,
        statement_number as number, 'bill:fees' as party_id, statement_date as document_date,
        statement_date as date, coalesce(payment_date, statement_date) as due_date,
        home_currency as currency, amount, amount as amount_home,
        if(payment_date is null, 'UNPAID', 'PAID') as status, is_booked, not is_booked as is_archived,
        version, updated_at
    from staging.billing_statements
    cross join staging.policies
    union all by name
    select
        'money_movement' as document_type, money_movement_id as document_id,
        movement_number as number, movement_date as document_date, movement_date as date,
        home_currency as currency, amount, amount as amount_home, clearing_side as status, is_booked,
        false as is_archived, version, updated_at, bank_account_id as funding_account_id
    from staging.money_movements
    cross join staging.policies
),

-- Ids are unique within a list only, so an open item is a document and its account's side.
-- A document is open on the side on which it opens; one that is negative, or paid beyond its amount,
-- on the other.
controls (document_type, control, opening_side) as (
    values
    ('bill', 'payables', -1), ('vendor_credit', 'payables', 1), ('billing_statement', 'payables', -1),
    ('payment', 'vendor advances', 1), ('invoice', 'receivables', 1), ('credit_memo', 'receivables', -1),
    ('received_payment', 'customer credits', -1)
),

open_amounts as (
    select
        lines.open_item_id as document_id,
        accounts.control,
        sum(lines.amount_currency) as amount_open
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control in ('payables', 'receivables', 'vendor advances', 'customer credits')
        and lines.open_item_id is not null
    group by lines.open_item_id, accounts.control
)

select
    documents.document_id,                                       -- BILL's id of the document.
    documents.document_type,                                     -- bill, vendor_credit, payment, invoice, credit_memo, received_payment …
    number,                                                      -- Number for people.
    party_id,                                                    -- Vendor or customer.
    parties.party,                                               -- Its name as BILL last reported it.
    document_date,                                               -- Day on the document.
    date,                                                        -- Day it counts for.
    coalesce(due_date, date) as due_date,                        -- Due date; its own date where it has none.
    description,                                                 -- Text on the document.
    documents.currency,                                          -- Currency of the document.
    amount::decimal(18, 3) as amount,                            -- Total in that currency.
    amount_home::decimal(18, 2) as amount_home,                  -- Total in home currency.
    is_rate_given,                                               -- BILL itself prices it in home currency, so its rate may value others; null: not of this kind.
    doubtful,                                                    -- What of it can hardly be meant, in words: a day of another century, more decimals than its currency has; null: nothing.
    -- Credits and unapplied money are positive too: what is left of the document itself.
    coalesce(opening_side * open_amounts.amount_open, 0)::decimal(18, 3) as amount_open,  -- Not yet settled or used, in its currency; negative where the document is, or was paid beyond its amount.
    amount_due::decimal(18, 3) as amount_due,                    -- What BILL says is due, payments not yet started added back; null where it says nothing.
    coalesce(amount_scheduled, 0)::decimal(18, 3) as amount_scheduled,  -- Payments of a bill that are scheduled and not started; not in the journal.
    documents.funding_account_id,                                -- Bank account or card of the money, by BILL's id; ledger.funding_accounts has them.
    is_paid_by_card,                                             -- A payment that a card carried: paid by one, or to the vendor on one.
    controls.control,                                            -- Sub-ledger on which it stands open; null for a movement of money.
    status,                                                      -- BILL's status.
    approval_status,                                             -- BILL's status of approval, on bills.
    is_booked,                                                   -- It has a part in the journal.
    documents.is_archived,                                       -- Archived in BILL.
    version as document_version,                                 -- Version in the archive.
    updated_at                                                   -- BILL's time of last change.
from documents
left join ledger.parties as parties using (party_id)
left join controls using (document_type)
left join open_amounts
    on open_amounts.document_id = documents.document_id and open_amounts.control = controls.control
