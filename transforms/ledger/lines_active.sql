-- Active lines: journal lines of entries that were never reversed, as earlier syncs left them.
--
-- grain: one row per journal line
-- key: entry_id, line_no
-- owner: team:accounting
-- materialize: temporary
-- follows: document_id
-- published: no
-- history: ledger.journal_entries, ledger.journal_lines
with

reversed as (
    select reverses_entry_id as entry_id
    from ledger.journal_entries
    where reverses_entry_id is not null
)

select
    lines.entry_id,  -- The entry it belongs to.
    lines.line_no,  -- Position in the entry.
    lines.line_key,  -- The document's line or the part it plays.
    lines.entry_kind,  -- posting or late_adjustment.
    lines.date,  -- Day it counts for.
    lines.account_id,  -- Account debited or credited.
    lines.amount,  -- Home currency, debit positive.
    lines.currency,  -- Currency of the document.
    lines.amount_currency,  -- The same in that currency.
    lines.party_id,  -- Vendor or customer.
    lines.class_id,  -- Accounting class.
    lines.department_id,  -- Department.
    lines.location_id,  -- Location.
    lines.job_id,  -- Job.
    lines.document_type,  -- Kind of BILL document.
    lines.document_id,  -- BILL's id of the document.
    lines.event,  -- What happened to the document.
    lines.open_item_id,  -- Document that this opens or settles.
    lines.source_line_id,  -- BILL's line it came from, if any.
    lines.category_source,  -- Who chose the account when it was posted.
    lines.description,  -- Text for people.
    lines.type_date,  -- Day whose type of the account counts, where it is not the entry's.
    entries.ordinal,                                                     -- Ordinal of its entry.
    entries.document_date,                                               -- Day BILL showed.
    entries.original_date,                                               -- Day it would count for without closes.
    lines.entry_kind = 'late_adjustment' as is_late,                     -- A difference to closed entries.
    coalesce(lines.date <= policies.closed_through, false) as is_closed  -- The period is locked now.
from ledger.journal_lines as lines
inner join ledger.journal_entries as entries using (entry_id)
cross join staging.policies as policies
where lines.entry_kind <> 'reversal' and lines.entry_id not in (select entry_id from reversed)
