-- Opening balance: debit or credit each account brought in, and the opposite to opening balance equity.
--
-- A person enters them once, on the day the books move here; they net to zero when the job is done.
-- Of accounts that open with their documents the balance only says what these must add up to, where
-- the books have a day on which they begin; ledger.opening_trial_balance compares the two.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- whole: *
-- published: no
-- columns: ledger.postings_in_full
with

balances as (
    select
        account_id,
        last_decided(cutover_date, decided_at, rowid) as cutover_date,
        last_decided(amount, decided_at, rowid) as amount,
        last_decided(reason, decided_at, rowid) as reason
    from decisions.opening_balances
    where decided_at <= getvariable('as_of')
    group by account_id
),

-- An account that once played the role keeps what its documents opened.
opened_by_documents as (
    select account_id
    from decisions.account_roles
    where decided_at <= getvariable('as_of') and control_of(role) is not null
),

balances_to_post as (
    select balances.*
    from balances
    cross join staging.policies as policies
    where policies.books_begin_on is null
        or account_id not in (select account_id from opened_by_documents)
)

select
    'opening_balance' as document_type, account_id as document_id, 1 as version,
    'brought_in' as event, 'account' as line_key, cutover_date as date,
    cutover_date as document_date, account_id, amount::decimal(18, 2) as amount,
    policies.home_currency as currency, amount::decimal(18, 3) as amount_currency, reason as description
from balances_to_post
cross join staging.policies as policies
union all by name
select
    'opening_balance' as document_type, balances_to_post.account_id as document_id, 1 as version,
    'brought_in' as event, 'offset' as line_key, cutover_date as date,
    cutover_date as document_date, roles.opening_balance as account_id, -amount::decimal(18, 2) as amount,
    policies.home_currency as currency, -amount::decimal(18, 3) as amount_currency, reason as description
from balances_to_post
cross join staging.policies as policies
cross join ledger.role_accounts as roles
