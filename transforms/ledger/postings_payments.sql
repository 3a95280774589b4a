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
-- published: no
with

payments as (
    select
        payments.*,
        coalesce(
            if(is_online, null, paid_from_account_id),
            -- One account for one payment: several bills that name several accounts name none.
            if(not is_online and bills_named.account_count = 1, bills_named.account_id, null),
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
        case
            when not payments.is_foreign then settlements.amount
            else
                prorated(payments.amount_home, sum(settlements.amount) over so_far, payments.amount)
                - prorated(
                    payments.amount_home, sum(settlements.amount) over so_far - settlements.amount, payments.amount
                )
        end as cash_home,
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
),

postings as (
    select
        'payment' as document_type, payment_id as document_id, version, event, line_key,
        date, payments.payment_date as document_date, 
        -- A bill of a vendor since merged keeps its own sub-ledger.
        coalesce(entry_lines.party_id, payments.vendor_id) as party_id, account_id,
        entry_lines.amount,
        coalesce(entry_lines.currency, payments.currency) as currency, entry_lines.amount_currency, null::varchar as class_id,
        null::varchar as department_id, null::varchar as location_id, null::varchar as job_id,
        open_item_id, null::varchar as source_line_id, null::varchar as category_source,
        payments.description
    from entry_lines
    inner join payments using (payment_id)
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
