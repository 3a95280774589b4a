-- Transfer: debit clearing and credit the bank for money out; debit the bank and credit clearing for money in.
--
-- The sign of BILL's amount gives the direction, not its type: a refund of a void payment is a
-- payables movement that comes back. While a bank account has no ledger account its movements wait:
-- the money stays in clearing.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
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
),

postings as (
    select
        'money_movement' as document_type, money_movement_id as document_id, version,
        'moved' as event, line_key, movement_date as date, movement_date as document_date,
        null::varchar as party_id, account_id, line_amount as amount, home_currency as currency,
        line_amount as amount_currency, null::varchar as class_id, null::varchar as department_id,
        null::varchar as location_id, null::varchar as job_id, open_item_id,
        null::varchar as source_line_id, null::varchar as category_source,
        movement_number as description
    from entry_lines
)

select
    document_type,                        -- Kind of BILL document.
    document_id,                          -- BILL's id of the document.
    version,                              -- Version of the document in the archive.
    event,                                -- What happened to it; one entry per event.
    line_key,                             -- Tells the entry's lines apart; the line's id where it has one.
    date,                                 -- Day it counts for.
    document_date,                        -- Day BILL shows.
    party_id,                             -- Vendor or customer.
    account_id,                           -- Account debited (+) or credited (-).
    amount::decimal(18, 2) as amount,     -- Home currency, debit positive.
    currency,                             -- Currency of the document.
    amount_currency::decimal(18, 3) as amount_currency,  -- The same in the document's currency.
    class_id,                             -- Accounting class.
    department_id,                        -- Department.
    location_id,                          -- Location.
    job_id,                               -- Job.
    open_item_id,                         -- Document that this opens or settles, on control and clearing accounts.
    source_line_id,                       -- BILL's line it came from, if any.
    category_source,                      -- Who chose the account: bill, person, rule, model, default; null for a role.
    description                           -- Text for people.
from postings
where amount <> 0 or amount_currency <> 0
