-- Credit applied: debit and credit the same control account, from the credit's open item to the bill's or invoice's.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

credits as (
    select
        'vendor_credit' as document_type, vendor_credit_id as document_id, vendor_id as party_id, version,
        currency, amount, amount_home, is_foreign
    from staging.vendor_credits
    union all
    select 'credit_memo', credit_memo_id, customer_id, version, currency, amount, amount_home, is_foreign
    from staging.credit_memos
),

-- The credit's own book value, telescoped like that of the document it settles.
applications as (
    select
        settlements.*,
        credits.version,
        credits.currency as credit_currency,
        credits.party_id as credit_party_id,
        if(settling_type = 'vendor_credit', 1, -1) as sign,
        if(settling_type = 'vendor_credit', roles.ap_control, roles.ar_control) as control_account_id,
        roles.fx_realized,
        home_share(
            credits.is_foreign, credits.amount_home, settlements.amount, sum(settlements.amount) over so_far,
            credits.amount
        ) as credit_amount_home
    from ledger.settlements as settlements
    inner join credits
        on credits.document_type = settlements.settling_type and credits.document_id = settlements.settling_id
    cross join ledger.role_accounts as roles
    window so_far as (
        partition by settling_type, settling_id order by settlements.date, settlement_key
    )
),

entry_lines as (
    select
        *, 'settled' as line_key, control_account_id as account_id, sign * amount_home as line_amount,
        sign * amount as line_amount_currency, settled_id as open_item_id
    from applications
    union all by name
    select
        * replace (credit_party_id as party_id, credit_currency as currency), 'credit' as line_key, control_account_id as account_id, -sign * credit_amount_home as line_amount,
        -sign * amount as line_amount_currency, settling_id as open_item_id
    from applications
    union all by name
    select
        *, 'exchange' as line_key, fx_realized as account_id,
        sign * (credit_amount_home - amount_home) as line_amount, 0 as line_amount_currency
    from applications
)

select
    settling_type as document_type, settling_id as document_id, version,
    'applied:' || settlement_key as event, line_key, date, settling_date as document_date, party_id,
    account_id, line_amount::decimal(18, 2) as amount, currency,
    line_amount_currency::decimal(18, 3) as amount_currency,
    open_item_id, 'credit applied' as description
from entry_lines
