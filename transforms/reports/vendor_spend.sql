-- What was spent with each vendor, month by month and account by account: costs, and what was bought to keep.
--
-- What was spent before the books begin counts too: it is the vendor's history.
--
-- grain: one row per vendor, month, account and type that it had
-- key: party_id, month, account_id, account_type, account_subtype
-- owner: team:accounting
-- totals: amount
-- macro: vendor_spend_between(period_start, period_end, known_at)
with

lines as (
    select
        document_type, document_id, event, date, party_id, account_id, amount
    from ledger.journal_lines
    where posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    union all by name
    select document_type, document_id, event, date, party_id, account_id, amount
    from ledger.lines_before_books
)

select
    coalesce(parties.merged_party_id, lines.party_id) as party_id,  -- BILL's id of the vendor, one for all its spellings.
    parties.merged_party as party,                               -- Its name as BILL last reported it.
    date_trunc('month', lines.date)::date as month,              -- First day of the month.
    lines.account_id,                                            -- What it was spent on.
    accounts.account_code,                                       -- Number in the chart.
    accounts.account_name,                                       -- Name in the chart.
    accounts.account_type,                                       -- Expense, Asset, Liability …
    accounts.account_subtype,                                    -- Finer kind: Fixed Asset, Prepaid, Inventory …
    accounts.statement = 'Income Statement' as is_cost,          -- It counts in profit and loss; else it is an asset, a prepayment or a debt paid off.
    sum(lines.amount)::decimal(18, 2) as amount,                 -- Bills less credits, home currency.
    count(distinct lines.document_id) as document_count          -- Bills and credits behind it.
from lines
inner join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and lines.date between accounts.valid_from and accounts.valid_to
left join ledger.parties as parties on parties.party_id = lines.party_id
where lines.document_type in ('bill', 'vendor_credit', 'billing_statement')
    and lines.event in ('entered', 'billed')
    and coalesce(accounts.control, '') <> 'payables'
    and in_period(lines.date)
group by all
having sum(lines.amount) <> 0
