-- Transfer assumed: debit money out clearing and credit the bank (or the reverse for receipts), where BILL shows none.
--
-- Without BILL's list of money movements, one transfer per bank account and day stands for them:
-- document type derived_transfer. Once real movements are known for a side, they replace these
-- from the first movement on; earlier days stay derived. What BILL does not price in home currency, and
-- what moved at a bank account without a ledger account, stays in clearing, in the list of what is in
-- flight. Cards and money held at BILL move nothing at a bank.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

-- A withdrawal reaches the bank some days after the payment; payments this close before the first
-- real movement are covered by it. A movement that BILL has not confirmed shows the list is there.
first_movements as (
    select clearing_side, min(movement_date) - interval 10 day as derived_before
    from staging.money_movements
    group by clearing_side
),

withdrawals as (
    select
        transfer_id, payment_id as item_id, funding_account_id as bank_account_id, payment_date as date,
        -amount_withdrawn as bank_change, 'payables' as clearing_side, version
    from staging.payments
    where is_booked and is_online and amount_withdrawn is not null
        and funding_type not in ('CARD_ACCOUNT', 'AP_CARD', 'WALLET')
        -- BILL paid the vendor and still waits for the money.
        and status <> 'FUNDING_FAILED_ACTION_NEEDED'
),

deposits as (
    select
        transfer_id, received_payment_id as item_id, deposit_account_id as bank_account_id, receipt_date as date,
        amount_deposited + convenience_fee - processing_fee as bank_change,
        'receivables' as clearing_side, version
    from staging.received_payments
    where is_booked and is_online and amount_deposited is not null and deposit_type <> 'WALLET'
),

transfers as (
    select
        transfers.*,
        if(transfers.bank_account_id is null, roles.default_bank, funding_accounts.account_id)
            as bank_account_in_ledger,
        if(clearing_side = 'payables', roles.ap_clearing, roles.ar_clearing) as clearing_account_id,
        policies.home_currency
    from (select * from withdrawals union all by name select * from deposits) as transfers
    cross join ledger.role_accounts as roles
    cross join staging.policies as policies
    left join first_movements using (clearing_side)
    left join categorized.funding_accounts as funding_accounts
        on funding_accounts.funding_account_id = transfers.bank_account_id
    where (first_movements.derived_before is null or transfers.date < first_movements.derived_before)
        and (transfers.bank_account_id is null or funding_accounts.account_id is not null)
),

entry_lines as (
    select
        transfer_id, date, home_currency, item_id as line_key, clearing_account_id as account_id,
        -bank_change as amount, item_id as open_item_id, version
    from transfers
    union all by name
    select
        transfer_id, date, home_currency, 'bank' as line_key, bank_account_in_ledger as account_id,
        sum(bank_change) as amount, null as open_item_id, max(version) as version
    from transfers
    group by all
),

postings as (
    select
        'derived_transfer' as document_type, transfer_id as document_id,
        version, 'moved' as event, line_key, date, date as document_date,
        null::varchar as party_id, account_id, amount, home_currency as currency,
        amount as amount_currency, null::varchar as class_id, null::varchar as department_id,
        null::varchar as location_id, null::varchar as job_id, open_item_id,
        null::varchar as source_line_id, null::varchar as category_source,
        'assumed from the payment date' as description
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
