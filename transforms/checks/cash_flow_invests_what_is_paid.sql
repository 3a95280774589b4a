-- Investing and financing flows are what cash paid and brought for them; what was brought in or moved is no flow.
--
-- table: reports.cash_flow
-- severity: error
select month, account_id, sum(amount) as difference
from (
    select month, account_id, amount from reports.cash_flow where activity in ('investing', 'financing')
    union all
    select date_trunc('month', lines.date)::date as month, lines.account_id, lines.amount_in_cash
    from ledger.cash_basis_lines as lines
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = lines.account_id
        and lines.date between accounts.valid_from and accounts.valid_to
    cross join ledger.books as books
    where accounts.cash_flow_activity in ('investing', 'financing')
        and coalesce(lines.document_type, '') not in ('opening_balance', 'reclassification')
        and coalesce(lines.original_date > books.books_begin_on, true)
)
group by month, account_id
having sum(amount) <> 0
