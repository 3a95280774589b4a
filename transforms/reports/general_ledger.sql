-- Every journal line by account, with the running balance.
--
-- grain: one row per journal line
-- key: entry_id, line_no
-- owner: team:accounting
-- materialize: view
-- totals: debit, credit
-- macro: general_ledger_between(period_start, period_end, known_at)
with

running as (
    select
        *,
        sum(amount) over (
            partition by account_id order by date, entry_id, line_no
            rows between unbounded preceding and current row
        ) as balance
    from ledger.journal_lines
    where posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
)

select
    accounts.account_id,                                     -- BILL's id, or standard:<number>.
    accounts.account_code,                                   -- Number in the chart.
    accounts.account_name,                                   -- Name in the chart.
    running.date,                                            -- Day it counts for.
    running.entry_id,                                        -- The entry.
    running.line_no,                                         -- Position in the entry.
    running.entry_kind,                                      -- posting, reversal or late_adjustment.
    running.document_type,                                   -- Kind of BILL document.
    running.document_id,                                     -- BILL's id of the document.
    coalesce(parties.merged_party_id, running.party_id) as party_id,  -- Vendor or customer, one id for all its spellings.
    parties.merged_party as party,                           -- Its name.
    running.description,                                     -- Text for people.
    (running.balance - running.amount)::decimal(18, 2) as balance_before,  -- Account's balance before the line.
    running.debit,                                           -- Home currency; zero on a credit line.
    running.credit,                                          -- Home currency; zero on a debit line.
    running.balance::decimal(18, 2) as balance,              -- Account's balance after the line.
    running.class_id,                                        -- Accounting class.
    running.department_id,                                   -- Department.
    running.location_id,                                     -- Location.
    running.posted_at                                        -- When the books learnt it.
from running
inner join ledger.accounts_by_day as accounts
    on accounts.account_id = running.account_id
    and coalesce(running.type_date, running.date) between accounts.valid_from and accounts.valid_to
left join ledger.parties as parties on parties.party_id = running.party_id
where in_period(running.date)
