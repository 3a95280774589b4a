-- What the balances brought in hold of documents that were not paid then; the cash basis takes it out of them.
--
-- They hold a line as it was coded when its document opened, whatever it is coded to later: a line of
-- the balance sheet or of the fiscal year is in the balance of its own account; income and cost of an
-- earlier year are in the retained earnings, and so is all of it where no account of income or cost was
-- brought in. What is in no balance brought in is left out.
--
-- grain: one row per day, document and line of it
-- key: line_id
-- owner: team:accounting
-- named: document_id
-- macro: opening_balances_unpaid_at(known_at)
with

rests as (
    select document_type, document_id, date, sum(amount) as rest
    from ledger.opened_lines
    group by document_type, document_id, date
    having sum(amount) <> 0
),

-- As coded on the first day on which something of it was open.
first_lines as (
    select
        *,
        row_number() over by_line as line_no,
        sum(amount) over by_line as amount_so_far,
        sum(amount) over (partition by document_type, document_id) as total
    from (
        select
            document_type, document_id, account_id, party_id, class_id, department_id, location_id, job_id,
            equity_account_id, max(document_date) as document_date, sum(amount) as amount
        from ledger.opened_lines
        semi join (
            select document_type, document_id, min(date) as date from rests group by document_type, document_id
        ) as first_days using (document_type, document_id, date)
        group by all
        having sum(amount) <> 0
    )
    window by_line as (
        partition by document_type, document_id
        order by account_id, party_id, class_id, department_id, location_id, job_id, equity_account_id
    )
),

brought_in as (
    select lines.account_id, any_value(accounts.statement) = 'Income Statement' as is_of_income
    from ledger.journal_lines as lines
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = lines.account_id
        and lines.date between accounts.valid_from and accounts.valid_to
    where lines.document_type = 'opening_balance' and lines.event = 'brought_in'
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    group by lines.account_id
    having sum(lines.amount) <> 0
),

beginning as (
    select
        fiscal_year_start(books.books_begin_on, books.fiscal_year_end) as first_day_of_year,
        bool_or(brought_in.is_of_income) as is_income_brought_in,
        (
            select min(account_id) from ledger.accounts
            where list_contains(string_split(roles, ', '), 'retained_earnings')
        ) as retained_earnings
    from ledger.books as books
    cross join brought_in
    group by all
),

held as (
    select
        rests.date, lines.document_type, lines.document_id, lines.line_no, lines.party_id, lines.class_id,
        lines.department_id, lines.location_id, lines.job_id, lines.equity_account_id,
        if(
            accounts.statement = 'Income Statement'
            and (
                lines.document_date < beginning.first_day_of_year or not beginning.is_income_brought_in
            ),
            beginning.retained_earnings, brought_in.account_id
        ) as account_id,
        share_of(rests.rest, lines.amount, lines.amount_so_far, lines.total) as amount
    from rests
    inner join first_lines as lines
        on lines.document_type = rests.document_type and lines.document_id = rests.document_id
    cross join beginning
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = lines.account_id
        and rests.date between accounts.valid_from and accounts.valid_to
    left join brought_in on brought_in.account_id = lines.account_id
)

select
    document_type || ':' || document_id || ':' || date || ':brought_in:' || line_no as line_id,  -- The document, day and line.
    date,                              -- Day on which the books begin, or on which more or less of it was open.
    document_type,                     -- bill, vendor_credit, invoice, credit_memo or billing_statement.
    document_id,                       -- BILL's id of the document.
    account_id,                        -- Account whose balance brought in holds the line.
    party_id,                          -- Vendor or customer.
    class_id,                          -- Accounting class.
    department_id,                     -- Department.
    location_id,                       -- Location.
    job_id,                            -- Job.
    amount::decimal(18, 2) as amount,  -- What was open of the line, debit positive.
    equity_account_id                  -- Opening balance equity, which the document's rest is booked against.
from held
where account_id is not null and amount <> 0
