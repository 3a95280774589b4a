-- In flight when the books begin: debit or credit clearing for each payment, receipt or transfer that had not met its other side, and the opposite to opening balance equity.
--
-- Transfers are lump sums that name no payments: they are matched as reports.clearing_in_flight matches them,
-- by days that add up and then oldest first. So these lines depend on every payment and transfer of before,
-- and are a document of their own.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- whole: *
-- published: no
-- columns: ledger.postings_in_full
with

-- A payment that the old books knew and that is void since: BILL has what was withdrawn for it. Where
-- BILL shows the transfer, that is left alone in clearing; where one was assumed, it is gone with it.
payments_void_since as (
    select payments.payment_id, payments.payment_date, payments.vendor_id, payments.description, payments.amount_home
    from staging.payments as payments
    inner join staging.policies as policies on payments.payment_date <= policies.books_begin_on
    left join categorized.funding_accounts as funding_accounts
        on funding_accounts.funding_account_id = payments.funding_account_id
    inner join (
        select
            id,
            min(seen_at) filter (where json_extract_string(document, '$.singleStatus') = 'VOIDED') as void_at,
            min(seen_at) filter (
                where json_extract_string(document, '$.singleStatus') in (
                    'FUNDING_STARTED', 'PROCESSED', 'SENT', 'DELIVERED', 'CLEARED', 'VOID_PENDING'
                )
            ) as paid_at
        from staging.versions_known
        where list = 'payments'
        group by id
    ) as versions on versions.id = payments.payment_id
    where payments.status = 'VOIDED' and payments.is_online and payments.is_home_amount_given
        -- What a bank account without a ledger account paid waited in clearing, and is gone with it.
        and (payments.funding_account_id is null or funding_accounts.account_id is not null)
        and payments.funding_type not in ('CARD_ACCOUNT', 'AP_CARD', 'WALLET')
        and versions.paid_at < versions.void_at and versions.void_at::date > policies.books_begin_on
        -- As long before the first transfer as ledger.postings_derived_transfers assumes one.
        and payments.payment_date < coalesce(
            (
                select min(movement_date) - interval 10 day
                from staging.money_movements where clearing_side = 'payables'
            ),
            date '9999-12-31'
        )
),

lines as (
    select document_type, document_id, account_id, open_item_id, date, party_id, description, amount
    from ledger.postings_in_full
    where document_type in ('payment', 'received_payment', 'money_movement', 'derived_transfer')
    union all by name
    select
        'payment' as document_type, payment_id as document_id, roles.ap_clearing as account_id,
        payment_date as date, vendor_id as party_id, description, amount_home as amount
    from payments_void_since
    cross join ledger.role_accounts as roles
),

items as (
    select
        account_id,
        -- An assumed transfer stands on the item of its payment or receipt.
        case
            when lines.document_type <> 'derived_transfer' then lines.document_type
            when account_id = roles.ap_clearing then 'payment'
            else 'received_payment'
        end as item_type,
        coalesce(open_item_id, document_id) as item_id,
        min(date) as item_date, max(party_id) as party_id, max(description) as description,
        any_value(policies.books_begin_on) as date, any_value(policies.home_currency) as home_currency,
        any_value(roles.opening_balance) as equity_account_id,
        sum(amount) as amount
    from lines
    cross join ledger.role_accounts as roles
    inner join staging.policies as policies on lines.date <= policies.books_begin_on
    where account_id in (roles.ap_clearing, roles.ar_clearing)
    group by account_id, item_type, coalesce(open_item_id, document_id)
    having sum(amount) <> 0
),

unmatched as (
    select *
    from items
    qualify sum(amount) over (partition by account_id, item_date) <> 0
),

running as (
    select
        *,
        sum(abs(amount)) over (
            partition by account_id, sign(amount) order by item_date, item_type, item_id
            rows between unbounded preceding and current row
        ) as used_so_far,
        least(
            sum(greatest(amount, 0)) over (partition by account_id),
            sum(greatest(-amount, 0)) over (partition by account_id)
        ) as amount_matched
    from unmatched
),

in_flight as (
    select
        *, sign(amount) * least(abs(amount), used_so_far - amount_matched) as amount_left
    from running
    where used_so_far > amount_matched
),

entry_lines as (
    select *, 'clearing' as line_key, account_id as line_account_id, amount_left as line_amount,
        item_id as open_item_id
    from in_flight
    union all by name
    select *, 'opening_balance' as line_key, equity_account_id as line_account_id,
        -amount_left as line_amount
    from in_flight
)

select
    'opening_balance' as document_type, 'in_flight' as document_id, 1 as version,
    'in_flight:' || item_type || ':' || item_id as event, line_key, date, item_date as document_date, party_id,
    line_account_id as account_id, line_amount::decimal(18, 2) as amount, home_currency as currency,
    line_amount::decimal(18, 3) as amount_currency,
    open_item_id, description
from entry_lines
where line_amount <> 0
