-- What each account held when the books moved here, by a person's word and by the documents open that day.
--
-- Payables, receivables, advances, credits and clearing open with their documents: there the balance
-- brought in is compared, never booked. Every other account is booked as it was brought in.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
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
    having amount <> 0
),

-- An account that once played the role keeps what its documents opened.
controls as (
    select account_id, case role
        when 'ap_control' then 'payables'
        when 'ar_control' then 'receivables'
        when 'vendor_advances' then 'vendor advances'
        when 'customer_credits' then 'customer credits'
        when 'ap_clearing' then 'money out clearing'
        when 'ar_clearing' then 'money in clearing'
    end as control
    from decisions.account_roles
    where decided_at <= getvariable('as_of')
),

-- One account may play two roles.
control_accounts as (
    select account_id, min(control) as control from controls where control is not null group by account_id
),

opened as (
    select account_id, sum(amount) as amount
    from (
        select account_id, amount from ledger.postings_opened_documents where open_item_id is not null
        union all
        select account_id, amount from ledger.postings_in_flight where open_item_id is not null
    )
    group by account_id
),

compared as (
    select
        coalesce(balances.account_id, opened.account_id) as account_id,
        control_accounts.control,
        coalesce(balances.cutover_date, policies.books_begin_on) as cutover_date,
        balances.amount,
        if(
            policies.books_begin_on is null or control_accounts.account_id is null,
            null, coalesce(opened.amount, 0)
        ) as amount_of_documents,
        balances.reason
    from balances
    full join opened using (account_id)
    left join control_accounts
        on control_accounts.account_id = coalesce(balances.account_id, opened.account_id)
    cross join staging.policies as policies
)

select
    account_id,                                                     -- The account.
    control,                                                        -- Sub-ledger whose documents open it, if any.
    cutover_date,                                                   -- Day at whose end it stood.
    amount::decimal(18, 2) as amount,                               -- Brought in by a person, debit positive; null: nobody said.
    amount_of_documents::decimal(18, 2) as amount_of_documents,     -- What the documents open that day add up to; null where none open it.
    (amount - amount_of_documents)::decimal(18, 2) as difference,   -- Zero when the documents are those of the old books; null where one side is missing.
    reason                                                          -- Where the balance comes from.
from compared
