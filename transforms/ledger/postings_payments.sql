-- Payment: debit accounts payable for each bill, credit money out clearing, the card or the bank.
--
-- BILL's own transfers go through clearing, also while their bank account has no ledger account;
-- payments made outside BILL credit the account named in BILL; each card is credited with the fee on
-- top, and what was held at BILL with what it paid. A payment dated before its bill, or without one,
-- debits vendor advances first and accounts payable on the bill's day. Scheduled payments post
-- nothing: the money is still at the bank.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

payments as (
    select
        payments.*,
        coalesce(
            if(is_online, null, of_money(paid_from_account_id, roles.control_accounts)),
            -- One account for one payment: several bills that name several accounts name none.
            if(
                not is_online and bills_named.account_count = 1,
                of_money(bills_named.account_id, roles.control_accounts), null
            ),
            case
                when funding_type = 'WALLET' then roles.bill_balance
                when funding_type in ('CARD_ACCOUNT', 'AP_CARD')
                    then coalesce(funding_accounts.account_id, roles.card_default)
                when is_online then roles.ap_clearing
                when funding_account_id is null then roles.default_bank
                else coalesce(funding_accounts.account_id, roles.ap_clearing)
            end
        ) as credited_account_id
    from staging.payments as payments
    cross join ledger.role_accounts as roles
    left join categorized.funding_accounts as funding_accounts using (funding_account_id)
    left join (
        select
            payment_id,
            count(distinct bills.pay_from_account_id) as account_count,
            min(bills.pay_from_account_id) as account_id
        from (select payment_id, unnest(bill_payments) as paid from staging.payments)
        inner join staging.bills as bills on bills.bill_id = paid.billId
        group by payment_id
    ) as bills_named using (payment_id)
    where payments.is_booked
),

-- Each bill's part of the cash, in home currency, telescoped over the payment.
parts as (
    select
        settlements.*,
        payments.version, payments.payment_date, payments.description,
        home_share(
            payments.is_foreign, payments.amount_home, settlements.amount, sum(settlements.amount) over so_far,
            payments.amount
        ) as cash_home,
        settlements.date > payments.payment_date as is_advance
    from ledger.settlements as settlements
    inner join payments on payments.payment_id = settlements.settling_id
    where settlements.settling_type = 'payment'
    window so_far as (partition by settling_id order by settlement_key)
),

totals as (
    select
        settling_id as payment_id,
        sum(cash_home) filter (where not is_advance) as cash_home,
        sum(amount_home) filter (where not is_advance) as cleared_home,
        sum(amount) filter (where not is_advance) as cleared
    from parts
    group by settling_id
),

entry_lines as (
    select
        settling_id as payment_id, 'paid' as event, settlement_key as line_key, payment_date as date,
        roles.ap_control as account_id, amount_home as amount, parts.amount as amount_currency,
        settled_id as open_item_id, parts.party_id, parts.currency
    from parts
    cross join ledger.role_accounts as roles
    where not is_advance
    union all by name
    select
        payment_id, 'paid' as event, 'advance' as line_key, payment_date as date,
        roles.vendor_advances as account_id, amount_home - coalesce(totals.cash_home, 0) as amount,
        payments.amount - coalesce(totals.cleared, 0) as amount_currency, payment_id as open_item_id
    from payments
    left join totals using (payment_id)
    cross join ledger.role_accounts as roles
    union all by name
    select
        payment_id, 'paid' as event, 'exchange' as line_key, payment_date as date,
        roles.fx_realized as account_id, totals.cash_home - totals.cleared_home as amount,
        0 as amount_currency
    from payments
    inner join totals using (payment_id)
    cross join ledger.role_accounts as roles
    union all by name
    select
        payment_id, 'paid' as event, 'fee' as line_key, payment_date as date,
        roles.bill_fees as account_id, fee as amount, fee as amount_currency
    from payments
    cross join ledger.role_accounts as roles
    union all by name
    select
        payment_id, 'paid' as event, 'cash' as line_key, payment_date as date,
        credited_account_id as account_id, -amount_home - fee as amount,
        -payments.amount - fee as amount_currency, payment_id as open_item_id
    from payments
    union all by name
    select
        settling_id as payment_id, 'advance:' || settlement_key as event, 'payables' as line_key, date,
        roles.ap_control as account_id, amount_home as amount, parts.amount as amount_currency,
        settled_id as open_item_id, parts.party_id, parts.currency
    from parts
    cross join ledger.role_accounts as roles
    where is_advance
    union all by name
    select
        settling_id as payment_id, 'advance:' || settlement_key as event, 'advance' as line_key, date,
        roles.vendor_advances as account_id, -cash_home as amount, -parts.amount as amount_currency,
        settling_id as open_item_id
    from parts
    cross join ledger.role_accounts as roles
    where is_advance
    union all by name
    select
        settling_id as payment_id, 'advance:' || settlement_key as event, 'exchange' as line_key, date,
        roles.fx_realized as account_id, cash_home - amount_home as amount, 0 as amount_currency
    from parts
    cross join ledger.role_accounts as roles
    where is_advance
)

-- A bill of a vendor since merged keeps its own sub-ledger.
select
    'payment' as document_type, payment_id as document_id, version, event, line_key, date,
    payments.payment_date as document_date, coalesce(entry_lines.party_id, payments.vendor_id) as party_id,
    account_id, entry_lines.amount::decimal(18, 2) as amount,
    coalesce(entry_lines.currency, payments.currency) as currency,
    entry_lines.amount_currency::decimal(18, 3) as amount_currency, open_item_id, payments.description
from entry_lines
inner join payments using (payment_id)
