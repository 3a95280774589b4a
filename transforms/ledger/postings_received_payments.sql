-- Receipt: debit money in clearing (or where it was deposited) and fees, credit accounts receivable.
--
-- What pays no invoice yet credits customer credits, and moves to accounts receivable on the day
-- it is applied. A convenience fee charged on top offsets the merchant fees.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

receipts as (
    select
        receipts.*,
        case
            when deposit_type = 'WALLET' then roles.bill_balance
            when is_online then roles.ar_clearing
            else coalesce(
                funding_accounts.account_id, of_money(chart.account_id, roles.control_accounts),
                if(
                    invoices_named.account_count = 1,
                    of_money(invoices_named.account_id, roles.control_accounts), null
                ),
                -- It is at a bank that has no ledger account yet.
                if(deposit_account_id is null, roles.undeposited_funds, roles.ar_clearing)
            )
        end as debited_account_id
    from staging.received_payments as receipts
    cross join ledger.role_accounts as roles
    left join categorized.funding_accounts as funding_accounts
        on funding_accounts.funding_account_id = receipts.deposit_account_id
    left join staging.chart_of_accounts as chart on chart.account_id = receipts.deposit_account_id
    left join (
        select
            received_payment_id,
            count(distinct invoices.pay_to_account_id) as account_count,
            min(invoices.pay_to_account_id) as account_id
        from (select received_payment_id, unnest(invoice_payments) as paid from staging.received_payments)
        inner join staging.invoices as invoices on invoices.invoice_id = paid.invoiceId
        group by received_payment_id
    ) as invoices_named using (received_payment_id)
    where receipts.is_booked
),

parts as (
    select
        settlements.*,
        receipts.receipt_date,
        home_share(
            receipts.is_foreign, receipts.amount_home, settlements.amount, sum(settlements.amount) over so_far,
            receipts.amount
        ) as cash_home,
        settlements.date > receipts.receipt_date as is_later
    from ledger.settlements as settlements
    inner join receipts on receipts.received_payment_id = settlements.settling_id
    where settlements.settling_type = 'received_payment'
    window so_far as (partition by settling_id order by settlement_key)
),

totals as (
    select
        settling_id as received_payment_id,
        sum(cash_home) filter (where not is_later) as cash_home,
        sum(amount_home) filter (where not is_later) as cleared_home,
        sum(amount) filter (where not is_later) as cleared
    from parts
    group by settling_id
),

entry_lines as (
    select
        received_payment_id, 'received' as event, 'cash' as line_key, receipt_date as date,
        debited_account_id as account_id, amount_home + convenience_fee - processing_fee as amount,
        receipts.amount + convenience_fee - processing_fee as amount_currency,
        received_payment_id as open_item_id
    from receipts
    union all by name
    select
        received_payment_id, 'received' as event, 'processing_fee' as line_key, receipt_date as date,
        roles.merchant_fees as account_id, processing_fee as amount, processing_fee as amount_currency
    from receipts
    cross join ledger.role_accounts as roles
    union all by name
    select
        received_payment_id, 'received' as event, 'convenience_fee' as line_key, receipt_date as date,
        roles.merchant_fees as account_id, -convenience_fee as amount, -convenience_fee as amount_currency
    from receipts
    cross join ledger.role_accounts as roles
    union all by name
    select
        settling_id as received_payment_id, 'received' as event, settlement_key as line_key,
        receipt_date as date, roles.ar_control as account_id, -amount_home as amount,
        -parts.amount as amount_currency, settled_id as open_item_id, parts.party_id, parts.currency
    from parts
    cross join ledger.role_accounts as roles
    where not is_later
    union all by name
    select
        received_payment_id, 'received' as event, 'unapplied' as line_key, receipt_date as date,
        roles.customer_credits as account_id, coalesce(totals.cash_home, 0) - amount_home as amount,
        coalesce(totals.cleared, 0) - receipts.amount as amount_currency,
        received_payment_id as open_item_id
    from receipts
    left join totals using (received_payment_id)
    cross join ledger.role_accounts as roles
    union all by name
    select
        received_payment_id, 'received' as event, 'exchange' as line_key, receipt_date as date,
        roles.fx_realized as account_id, totals.cleared_home - totals.cash_home as amount,
        0 as amount_currency
    from receipts
    inner join totals using (received_payment_id)
    cross join ledger.role_accounts as roles
    union all by name
    select
        settling_id as received_payment_id, 'applied:' || settlement_key as event,
        'receivables' as line_key, date, roles.ar_control as account_id, -amount_home as amount,
        -parts.amount as amount_currency, settled_id as open_item_id, parts.party_id, parts.currency
    from parts
    cross join ledger.role_accounts as roles
    where is_later
    union all by name
    select
        settling_id as received_payment_id, 'applied:' || settlement_key as event,
        'unapplied' as line_key, date, roles.customer_credits as account_id, cash_home as amount,
        parts.amount as amount_currency, settling_id as open_item_id
    from parts
    cross join ledger.role_accounts as roles
    where is_later
    union all by name
    select
        settling_id as received_payment_id, 'applied:' || settlement_key as event,
        'exchange' as line_key, date, roles.fx_realized as account_id,
        amount_home - cash_home as amount, 0 as amount_currency
    from parts
    cross join ledger.role_accounts as roles
    where is_later
)

select
    'received_payment' as document_type, received_payment_id as document_id, version, event, line_key, date,
    receipts.receipt_date as document_date, coalesce(entry_lines.party_id, receipts.customer_id) as party_id,
    account_id, entry_lines.amount::decimal(18, 2) as amount,
    coalesce(entry_lines.currency, receipts.currency) as currency,
    entry_lines.amount_currency::decimal(18, 3) as amount_currency, open_item_id, receipts.description
from entry_lines
inner join receipts using (received_payment_id)
