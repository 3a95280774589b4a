-- A line is a debit or a credit, never both, and its amount is debit less credit.
--
-- table: ledger.journal_lines
-- follows: document
-- severity: error
select line_id, debit, credit, amount
from ledger.journal_lines
where amount <> debit - credit or debit < 0 or credit < 0 or (debit <> 0 and credit <> 0)
