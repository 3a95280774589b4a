-- Every journal line has its entry and every entry has lines of the same day.
--
-- table: ledger.journal_lines
-- follows: document
-- severity: error
select coalesce(lines.entry_id, entries.entry_id) as entry_id, lines.line_id, lines.date, entries.date as entry_date
from ledger.journal_lines as lines
full join ledger.journal_entries as entries using (entry_id)
where lines.entry_id is null or entries.entry_id is null or lines.date <> entries.date
    or lines.posted_at <> entries.posted_at
