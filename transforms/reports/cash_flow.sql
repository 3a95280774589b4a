-- Where cash came from and went, month by month (indirect method).
--
-- Profit, less what is tied up in other accounts, is the change of cash; clearing accounts are
-- cash on its way. What a bill or invoice invests or finances flows when cash pays it, and never where
-- credits settle it: until then its payable or receivable is none of operations, and of what was paid in
-- advance its part is no advance. Balances brought in when the books moved here, or under another type of
-- their account, are no flow, nor is what they hold of advances. Suspense is shown as unclassified, never
-- hidden in an activity.
--
-- grain: one row per month, activity and account, one for the profit, one for the change of cash
-- key: month, activity, account_id
-- owner: team:accounting
-- macro: cash_flow_between(period_start, period_end, known_at)
with

journal_lines as (
    select *
    from ledger.journal_lines
    where document_type not in ('opening_balance', 'reclassification') and event <> 'opened'
        and posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

-- Accounts that are or were of investing or financing.
accounts_in_question as (
    select distinct account_id
    from ledger.accounts_by_day
    where cash_flow_activity in ('investing', 'financing')
),

documents_in_question as (
    select distinct document_type, document_id
    from journal_lines
    where event in ('entered', 'billed') and account_id in (from accounts_in_question)
    union
    select document_type, document_id
    from ledger.cash_basis_lines
    where account_id in (from accounts_in_question)
),

-- The payable or receivable of each document: where its role has another account now, that one.
document_controls as (
    select
        document_type, document_id, arg_max(account_id, (abs(amount), account_id)) as account_id,
        bool_or(is_opened) as is_opened
    from (
        select
            lines.document_type, lines.document_id, lines.account_id, sum(lines.amount) as amount,
            bool_or(lines.event = 'opened') as is_opened
        from ledger.journal_lines as lines
        inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
        semi join documents_in_question as documents
            on documents.document_type = lines.document_type and documents.document_id = lines.document_id
        where lines.event in ('entered', 'billed', 'opened') and accounts.control in ('payables', 'receivables')
            and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
        group by lines.document_type, lines.document_id, lines.account_id
    )
    group by document_type, document_id
),

-- Where a payment or receipt waited for the document that it was applied to later.
advance_accounts as (
    select
        if(applied.document_type = 'payment', 'bill', 'invoice') as document_type,
        applied.open_item_id as document_id, max(advances.account_id) as account_id
    from journal_lines as applied
    inner join journal_lines as advances on advances.entry_id = applied.entry_id
    inner join ledger.accounts as accounts
        on accounts.account_id = advances.account_id
        and accounts.control in ('vendor advances', 'customer credits')
    where applied.document_type in ('payment', 'received_payment')
        and applied.open_item_id in (select document_id from documents_in_question)
        and applied.open_item_id <> advances.open_item_id
    group by all
),

-- What documents put on accounts, when it is booked and when it is paid.
documents_by_day as (
    select
        date, document_type, document_id, account_id, sum(paid) - sum(booked) as amount,
        sum(sum(booked)) over so_far as booked, sum(sum(paid)) over so_far as paid,
        sum(paid) filter (where is_of_before) as paid_before
    from (
        select date, document_type, document_id, account_id, amount as booked, 0 as paid, false as is_of_before
        from journal_lines
        where event in ('entered', 'billed') and account_id in (from accounts_in_question)
        union all
        select
            lines.date, lines.document_type, lines.document_id, lines.account_id, 0, lines.amount_in_cash,
            coalesce(lines.original_date <= books.books_begin_on, false)
        from ledger.cash_basis_lines as lines
        cross join ledger.books as books
        where lines.account_id in (from accounts_in_question)
    )
    group by date, document_type, document_id, account_id
    window so_far as (partition by document_type, document_id, account_id order by date)
),

not_yet_paid as (
    select
        documents.*, controls.account_id as control_account_id,
        coalesce(advances.account_id, controls.account_id) as advance_account_id,
        -- Paid and not booked yet: an advance.
        if(booked = 0 and not controls.is_opened, paid, 0) as ahead
    from documents_by_day as documents
    inner join document_controls as controls using (document_type, document_id)
    left join advance_accounts as advances using (document_type, document_id)
),

moved_by_day as (
    select
        date, account_id, control_account_id, advance_account_id, amount,
        coalesce(paid_before, 0) as paid_before,
        ahead - coalesce(
            lag(ahead) over (partition by document_type, document_id, account_id order by date), 0
        ) as ahead
    from not_yet_paid
),

investing_and_financing as (
    select moved.*
    from moved_by_day as moved
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = moved.account_id
        and moved.date between accounts.valid_from and accounts.valid_to
    where accounts.cash_flow_activity in ('investing', 'financing')
),

lines as (
    select date_trunc('month', moved.date)::date as month, moved.amount, accounts.*
    from (
        select date, account_id, amount from journal_lines
        union all
        select date, account_id, amount - paid_before from investing_and_financing
        union all
        select date, control_account_id, ahead - amount from investing_and_financing
        union all
        select date, advance_account_id, paid_before - ahead from investing_and_financing
    ) as moved
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = moved.account_id
        and moved.date between accounts.valid_from and accounts.valid_to
    where in_period(moved.date)
),

flows as (
    select month, 'operating' as activity, 'net income' as account_id, 'Net income' as account_name, -amount as amount
    from lines
    where statement = 'Income Statement'
    union all
    select month, coalesce(cash_flow_activity, 'unclassified'), account_id, account_name, -amount
    from lines
    where statement = 'Balance Sheet' and coalesce(cash_flow_activity, '') <> 'cash'
    union all
    select month, 'change of cash', 'change of cash', 'Change of cash', amount
    from lines
    where statement = 'Balance Sheet' and cash_flow_activity = 'cash'
)

select
    month,                                    -- First day of the month.
    activity,                                 -- operating, investing, financing, unclassified, or change of cash.
    account_id,                               -- Account, net income, or change of cash.
    account_name,                             -- Its name.
    sum(amount)::decimal(18, 2) as amount     -- Cash gained (+) or used (-); change of cash is the sum of the others.
from flows
group by all
having sum(amount) <> 0
