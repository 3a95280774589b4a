-- Opening balance: debit or credit each account brought in, and the opposite to opening balance equity.
--
-- A person enters them once, on the day the books move here; they net to zero when the job is done.
-- Of accounts that open with their documents the balance only says what these must add up to, where
-- the books have a day on which they begin; ledger.opening_trial_balance compares the two.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

balances as (
    select
        account_id,
        arg_max(cutover_date, (decided_at, rowid)) as cutover_date,
        arg_max(amount, (decided_at, rowid)) as amount,
        arg_max(reason, (decided_at, rowid)) as reason
    from decisions.opening_balances
    where decided_at <= getvariable('as_of')
    group by account_id
),

-- An account that once played the role keeps what its documents opened.
opened_by_documents as (
    select account_id
    from decisions.account_roles
    where decided_at <= getvariable('as_of') and role in (
        'ap_control', 'ar_control', 'vendor_advances', 'customer_credits', 'ap_clearing', 'ar_clearing'
    )
),

balances_to_post as (
    select balances.*
    from balances
    cross join staging.policies as policies
    where policies.books_begin_on is null
        or account_id not in (select account_id from opened_by_documents)
),

postings as (
    select
        'opening_balance' as document_type, account_id as document_id, 1 as version,
        'brought_in' as event, 'account' as line_key, cutover_date as date,
        cutover_date as document_date, null::varchar as party_id, account_id, amount,
        policies.home_currency as currency, amount as amount_currency, null::varchar as class_id,
        null::varchar as department_id, null::varchar as location_id, null::varchar as job_id,
        null::varchar as open_item_id, null::varchar as source_line_id,
        null::varchar as category_source, reason as description
    from balances_to_post
    cross join staging.policies as policies
    union all by name
    select
        'opening_balance' as document_type, balances_to_post.account_id as document_id, 1 as version,
        'brought_in' as event, 'offset' as line_key, cutover_date as date,
        cutover_date as document_date, roles.opening_balance as account_id, -amount as amount,
        policies.home_currency as currency, -amount as amount_currency, reason as description
    from balances_to_post
    cross join staging.policies as policies
    cross join ledger.role_accounts as roles
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
