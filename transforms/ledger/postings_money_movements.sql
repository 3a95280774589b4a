-- Transfer: debit clearing and credit the bank for money out; debit the bank and credit clearing for money in.
--
-- The sign of BILL's amount gives the direction, not its type: a refund of a void payment is a
-- payables movement that comes back. While a bank account has no ledger account its movements wait:
-- the money stays in clearing.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

movements as (
    select
        movements.*,
        if(movements.bank_account_id is null, roles.default_bank, funding_accounts.account_id)
            as bank_account_in_ledger,
        if(clearing_side = 'payables', roles.ap_clearing, roles.ar_clearing) as clearing_account_id,
        home_currency
    from staging.money_movements as movements
    cross join ledger.role_accounts as roles
    cross join staging.policies
    left join categorized.funding_accounts as funding_accounts
        on funding_accounts.funding_account_id = movements.bank_account_id
    where movements.is_booked
        and (movements.bank_account_id is null or funding_accounts.account_id is not null)
),

entry_lines as (
    select *, 'bank' as line_key, bank_account_in_ledger as account_id, amount as line_amount,
        null as open_item_id
    from movements
    union all by name
    select *, 'clearing' as line_key, clearing_account_id as account_id, -amount as line_amount,
        money_movement_id as open_item_id
    from movements
)

select
    'money_movement' as document_type, money_movement_id as document_id, version,
    'moved' as event, line_key, movement_date as date, movement_date as document_date,
    account_id, line_amount::decimal(18, 2) as amount, home_currency as currency,
    line_amount::decimal(18, 3) as amount_currency,
    open_item_id, movement_number as description
from entry_lines
