-- Every line's account is in the chart.
--
-- table: ledger.accounts
-- follows: document
-- severity: error
select lines.line_id, lines.account_id
from ledger.journal_lines as lines
anti join ledger.accounts as accounts using (account_id)
