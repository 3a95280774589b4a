-- BILL's own fees: debit BILL fees and credit accounts payable, then debit accounts payable and credit the bank.
--
-- The vendor is BILL itself, party bill:fees. What BILL takes before the statement's day debits vendor
-- advances first and accounts payable on that day, as a payment of any other bill does.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

statements as (
    select
        statements.*, policies.home_currency,
        coalesce(statements.payment_date < statements.statement_date, false) as is_advance
    from staging.billing_statements as statements
    cross join staging.policies as policies
    where statements.is_booked
),

entry_lines as (
    select *, 'billed' as event, 'fees' as line_key, statement_date as date,
        roles.bill_fees as account_id, amount as line_amount, null as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    union all by name
    select *, 'billed' as event, 'payables' as line_key, statement_date as date,
        roles.ap_control as account_id, -amount as line_amount, billing_statement_id as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    union all by name
    select *, 'paid' as event, if(is_advance, 'advance', 'payables') as line_key, payment_date as date,
        if(is_advance, roles.vendor_advances, roles.ap_control) as account_id, amount as line_amount,
        billing_statement_id as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    where payment_date is not null
    union all by name
    select *, 'paid' as event, 'bank' as line_key, payment_date as date,
        roles.default_bank as account_id, -amount as line_amount, null as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    where payment_date is not null
    union all by name
    select *, 'advance' as event, 'payables' as line_key, statement_date as date,
        roles.ap_control as account_id, amount as line_amount, billing_statement_id as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    where is_advance
    union all by name
    select *, 'advance' as event, 'advance' as line_key, statement_date as date,
        roles.vendor_advances as account_id, -amount as line_amount,
        billing_statement_id as open_item_id
    from statements
    cross join ledger.role_accounts as roles
    where is_advance
)

-- What was taken in advance was taken on the day of the payment.
select
    'billing_statement' as document_type, billing_statement_id as document_id, version, event, line_key, date,
    if(event = 'advance', payment_date, statement_date) as document_date, 'bill:fees' as party_id, account_id,
    line_amount::decimal(18, 2) as amount, home_currency as currency,
    line_amount::decimal(18, 3) as amount_currency, open_item_id,
    statement_number as description
from entry_lines
