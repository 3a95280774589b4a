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
-- follows: document_id
-- whole: *
-- published: no
-- columns: ledger.postings_in_full
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
)

select
    'derived_transfer' as document_type, transfer_id as document_id,
    version, 'moved' as event, line_key, date, date as document_date,
    account_id, amount::decimal(18, 2) as amount, home_currency as currency,
    amount::decimal(18, 3) as amount_currency,
    open_item_id, 'assumed from the payment date' as description
from entry_lines
