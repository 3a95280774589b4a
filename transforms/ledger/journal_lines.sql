-- The lines of the journal: what each entry debits and credits, never changed, never deleted.
--
-- grain: one row per entry and line
-- key: entry_id, line_no
-- owner: team:accounting
-- follows: document_id
-- materialize: append
with

reversing_lines as (
    select
        entries.entry_id, active.line_no, active.line_key, active.account_id,
        -active.amount as amount, -active.amount_currency as amount_currency,
        active.currency, active.party_id, active.class_id, active.department_id,
        active.location_id, active.job_id, active.open_item_id, active.source_line_id,
        active.category_source, active.description, active.type_date
    from ledger.entries_new as entries
    inner join ledger.lines_active as active on active.entry_id = entries.reverses_entry_id
    where entries.entry_kind = 'reversal'
),

posting_lines as (
    select
        entries.entry_id,
        row_number() over (
            partition by entries.entry_id
            order by
                -- Debits first, as people write entries.
                expected.amount < 0, expected.line_key, expected.account_id, expected.party_id,
                expected.currency, expected.class_id, expected.department_id, expected.location_id,
                expected.job_id, expected.open_item_id, expected.amount, expected.type_date
        ) as line_no,
        expected.line_key, expected.account_id, expected.amount, expected.amount_currency,
        expected.currency, expected.party_id, expected.class_id, expected.department_id,
        expected.location_id, expected.job_id, expected.open_item_id, expected.source_line_id,
        expected.category_source, expected.description, expected.type_date
    from ledger.entries_new as entries
    inner join ledger.lines_expected as expected
        on expected.document_type = entries.document_type and expected.document_id = entries.document_id
        and expected.event = entries.event and expected.is_late = (entries.entry_kind = 'late_adjustment')
    where entries.entry_kind <> 'reversal'
),

new_lines as (
    select * from reversing_lines
    union all by name
    select * from posting_lines
)

select
    new_lines.entry_id,                                       -- The entry it belongs to.
    new_lines.line_no::integer as line_no,                    -- Position in the entry, from 1.
    new_lines.entry_id || ':' || new_lines.line_no as line_id,  -- Entry's id and position.
    new_lines.line_key,                                       -- The document's line or the part it plays.
    entries.entry_kind,                                       -- posting, reversal or late_adjustment.
    entries.date,                                             -- Day it counts for.
    new_lines.account_id,                                     -- Account debited or credited.
    greatest(new_lines.amount, 0)::decimal(18, 2) as debit,   -- Home currency; zero on a credit line.
    greatest(-new_lines.amount, 0)::decimal(18, 2) as credit, -- Home currency; zero on a debit line.
    new_lines.amount::decimal(18, 2) as amount,               -- Debit less credit.
    new_lines.currency,                                       -- Currency of the document.
    new_lines.amount_currency::decimal(18, 3) as amount_currency,  -- The same in that currency.
    new_lines.party_id,                                       -- Vendor or customer.
    new_lines.class_id,                                       -- Accounting class.
    new_lines.department_id,                                  -- Department.
    new_lines.location_id,                                    -- Location.
    new_lines.job_id,                                         -- Job.
    entries.document_type,                                    -- Kind of BILL document.
    entries.document_id,                                      -- BILL's id of the document.
    entries.document_version,                                 -- Version of the document in the archive.
    entries.event,                                            -- What happened to the document.
    new_lines.open_item_id,                                   -- Document that this opens or settles.
    new_lines.source_line_id,                                 -- BILL's line it came from, if any.
    new_lines.category_source,                                -- Who chose the account when it was posted.
    new_lines.description,                                    -- Text for people.
    entries.posted_at,                                        -- When the books learnt it.
    entries.reverses_entry_id,                                -- The entry it takes back, for a reversal.
    new_lines.type_date                                       -- Day whose type of the account counts, where the entry says so: each side of a balance that moves between two types of its account keeps its own.
from new_lines
inner join ledger.entries_new as entries using (entry_id)
