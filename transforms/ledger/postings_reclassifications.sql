-- Balance moved under its account's new type: out from under the old type, in under the new one.
--
-- The side of the balance sheet is the whole balance. The side of profit and loss is what stood there
-- in the fiscal year of the entry; what stood there in earlier years, whose profit was reported, is
-- retained earnings'. The line under the old type has that type's last day as its type_date, the one under
-- the new type its first: both keep them whatever the account becomes later.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- whole: *
-- published: no
-- columns: ledger.postings_in_full
with

moved as (
    select
        *,
        -- What the balance sheet gains; what profit and loss and retained earnings give for it.
        if(is_to_balance_sheet, amount, -amount) as gained,
        if(is_to_balance_sheet, amount_earlier, -amount_earlier) as gained_earlier
    from ledger.reclassifications
    where action = 'move'
),

parts as (
    select
        document_id, date, reason, 'balance_sheet' as line_key, account_id, gained as amount,
        if(is_to_balance_sheet, first_day, first_day - 1) as type_date
    from moved
    union all by name
    select
        document_id, date, reason, 'profit_and_loss' as line_key, account_id, gained_earlier - gained as amount,
        if(is_to_balance_sheet, first_day - 1, first_day) as type_date
    from moved
    union all by name
    select
        document_id, date, reason, 'retained_earnings' as line_key, earnings_account_id as account_id,
        -gained_earlier as amount
    from moved
)

select
    'reclassification' as document_type, document_id, 1 as version, 'reclassified' as event, line_key, date,
    date as document_date, account_id, amount::decimal(18, 2) as amount, policies.home_currency as currency,
    amount::decimal(18, 3) as amount_currency, reason as description, type_date
from parts
cross join staging.policies as policies
