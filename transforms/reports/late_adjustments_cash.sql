-- What counts on the cash basis on a first open day, because the day of the cash was closed when it was learnt.
--
-- A bill paid before its own day counts on the day of the payment. Where that was closed before the
-- books learnt of the bill, or of a change of it, this lists what counts later, with the day of the cash.
--
-- grain: one row per line on the cash basis that counts later than its cash
-- key: basis_line_id
-- owner: team:accounting
-- columns: reports.late_adjustments
-- macro: late_adjustments_cash_between(period_start, period_end, known_at)
select
    lines.basis_line_id,     -- The journal line, or document, day and part.
    lines.date,              -- First open day, where it counts.
    lines.original_date,     -- Day of the cash, closed by then.
    lines.document_type, lines.document_id, coalesce(parties.merged_party_id, lines.party_id) as party_id,
    parties.merged_party as party, lines.account_id, accounts.account_name, lines.amount
from ledger.cash_basis_lines as lines
left join ledger.parties as parties on parties.party_id = lines.party_id
left join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(lines.type_date, lines.date) between accounts.valid_from and accounts.valid_to
where lines.original_date < lines.date
    and in_period(lines.date)
