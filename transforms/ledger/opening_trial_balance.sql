-- What each account held when the books moved here, as a person brought it in and as the documents open that day add up.
--
-- Payables, receivables, advances, credits and clearing open with their documents: there the balance
-- brought in is compared, never booked. Every other account is booked as it was brought in.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
-- macro: opening_trial_balance_at(known_at)
with

balances as (
    select *
    from ledger.opening_balance_versions
    where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
        and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
        and amount <> 0
),

opened as (
    select account_id, sum(amount) as amount
    from ledger.journal_lines
    where (event = 'opened' or (document_type = 'opening_balance' and document_id = 'in_flight'))
        and open_item_id is not null
        and posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    group by account_id
    having sum(amount) <> 0
),

compared as (
    select
        coalesce(balances.account_id, opened.account_id) as account_id,
        accounts.control,
        coalesce(balances.cutover_date, books.books_begin_on) as cutover_date,
        balances.amount,
        if(
            books.books_begin_on is null or accounts.control is null, null, coalesce(opened.amount, 0)
        ) as amount_of_documents,
        balances.reason
    from balances
    full join opened on opened.account_id = balances.account_id
    -- An account that once played the role keeps what its documents opened.
    left join ledger.accounts as accounts
        on accounts.account_id = coalesce(balances.account_id, opened.account_id)
    cross join ledger.books as books
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
