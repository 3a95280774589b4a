-- Documents with a late adjustment that stands: a close or a reopening may change what it must be.
--
-- grain: one row per document
select distinct document_type, document_id
from ledger.journal_entries as entries
anti join (
    select reverses_entry_id as entry_id from ledger.journal_entries where reverses_entry_id is not null
) as reversed using (entry_id)
where entry_kind = 'late_adjustment'
