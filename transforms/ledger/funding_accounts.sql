-- The bank accounts, cards and wallet that BILL moves money from and to, and the ledger account of each.
--
-- A bank account without a ledger account keeps its money in clearing until a person says which one it
-- is: `bill-pipeline settings CLIENT --role bank:ID=ACCOUNT`, the console's settings, or BILL itself.
--
-- grain: one row per bank account, card or wallet
-- key: role
-- owner: team:accounting
with

uses as (
    select funding_type, funding_account_id, payment_date as date, -amount_home as amount
    from staging.payments
    -- What was paid outside BILL from an account that it names never was in clearing.
    where is_booked and (is_online or paid_from_account_id is null)
    union all
    select
        if(deposit_type = 'WALLET', 'WALLET', 'BANK_ACCOUNT'), deposit_account_id, receipt_date,
        amount_home + convenience_fee - processing_fee
    from staging.received_payments
    where is_booked
    -- What is deposited to an account of the chart names its ledger account itself.
        and coalesce(deposit_account_id, '') not in (select account_id from staging.chart_of_accounts)
    union all
    select 'BANK_ACCOUNT', bank_account_id, movement_date, 0
    from staging.money_movements
    where is_booked
),

used as (
    select
        case
            when funding_type = 'WALLET' then 'bill_balance'
            when funding_type in ('CARD_ACCOUNT', 'AP_CARD')
                then coalesce('card:' || funding_account_id, 'card_default')
            else coalesce('bank:' || funding_account_id, 'default_bank')
        end as role,
        min(date) as first_date, count(*) as use_count, sum(amount) as amount
    from uses
    group by all
),

known (role, funding_type, name, is_archived) as (
    select 'bank:' || bank_account_id, 'bank account', bank_account_name, is_archived
    from staging.bank_accounts
    union all
    select
        'card:' || card_id, if(card_type = 'AP_CARD', 'AP card', 'card account'), card_name, is_archived
    from staging.cards
    union all
    values
    ('bill_balance', 'wallet', 'Balance held at BILL', false),
    ('card_default', 'card account', 'Cards that BILL does not name', false),
    ('default_bank', 'bank account', 'Bank where BILL names none', false)
)

select
    coalesce(known.role, used.role) as role,                    -- Role whose account it has: bank:<id>, card:<id>, bill_balance …
    nullif(regexp_extract(coalesce(known.role, used.role), '^(bank|card):(.+)$', 2), '') as funding_account_id,  -- BILL's id of it; null where BILL names none.
    coalesce(known.funding_type, 'bank account') as funding_type,  -- bank account, card account, AP card or wallet.
    coalesce(known.name, 'Bank account ' || regexp_extract(used.role, ':(.+)$', 1)) as funding_account_name,  -- As BILL lists it.
    coalesce(funding_accounts.account_id, nullif(roles.account_id, '')) as account_id,  -- The ledger account it stands for; null: nobody said.
    accounts.account_code,                                      -- Its number, if it has one.
    accounts.account_name,                                      -- Its name.
    coalesce(roles.reason, if(funding_accounts.account_id is null, null, 'linked in BILL')) as reason,  -- Why this one.
    used.first_date,                                            -- Day of the first money that it moved.
    coalesce(used.use_count, 0) as use_count,                   -- Payments, receipts and transfers in the books that name it.
    if(
        coalesce(funding_accounts.account_id, nullif(roles.account_id, '')) is null,
        coalesce(used.amount, 0), 0
    )::decimal(18, 2) as amount_waiting,                        -- Kept in clearing until it has an account; money out is negative.
    coalesce(known.is_archived, false) as is_archived           -- No longer offered in BILL.
from known
full join used on used.role = known.role
left join categorized.account_roles as roles on roles.role = coalesce(known.role, used.role)
left join categorized.funding_accounts as funding_accounts
    on funding_accounts.funding_account_id
        = regexp_extract(coalesce(known.role, used.role), '^(bank|card):(.+)$', 2)
left join ledger.accounts as accounts
    on accounts.account_id = coalesce(funding_accounts.account_id, nullif(roles.account_id, ''))
