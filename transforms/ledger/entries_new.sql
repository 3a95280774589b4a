-- The entries this sync adds to the journal: reversals of what no longer stands, and what stands now.
--
-- grain: one row per new entry
-- key: entry_id
-- owner: team:accounting
-- materialize: temporary
-- follows: document_id
-- published: no
-- history: ledger.journal_entries
with

reversals as (
    select distinct
        document_type, document_id, event, 'reversal' as entry_kind, date, document_date,
        original_date, entry_id as reverses_entry_id, ordinal as reversed_ordinal
    from ledger.lines_active
    semi join ledger.events_changed using (document_type, document_id, event, is_late)
    where not is_closed
),

replacements as (
    select
        document_type, document_id, event,
        if(is_late, 'late_adjustment', 'posting') as entry_kind,
        max(date) as date, max(document_date) as document_date, max(original_date) as original_date,
        max(version) as version, max(description) as description, max(party_id) as party_id
    from ledger.lines_expected
    semi join ledger.events_changed using (document_type, document_id, event, is_late)
    group by document_type, document_id, event, is_late
),

entries as (
    select * from reversals
    union all by name
    select * from replacements
),

earlier as (
    select
        document_type, document_id, event, max(ordinal) as ordinal,
        arg_max(party_id, ordinal) as party_id, arg_max(description, ordinal) as description,
        -- What a late adjustment adjusts: the last entry of a closed day.
        arg_max(entry_id, ordinal) filter (
            where entry_kind <> 'reversal' and date <= policies.closed_through
        ) as adjusts_entry_id
    from ledger.journal_entries
    cross join staging.policies as policies
    semi join ledger.events_changed using (document_type, document_id, event)
    group by document_type, document_id, event
),

-- A void or archived document has no posting to name its version.
versions as (
    select document_type_of(known.list) as document_type, known.id as document_id, known.version
    from staging.documents_known as known
    semi join ledger.events_changed as changed on changed.document_id = known.id
),

numbered as (
    select
        entries.*,
        coalesce(entries.version, versions.version) as document_version,
        coalesce(entries.party_id, earlier.party_id) as entry_party_id,
        coalesce(entries.description, earlier.description) as entry_description,
        earlier.adjusts_entry_id,
        coalesce(earlier.ordinal, 0) + row_number() over (
            partition by entries.document_type, entries.document_id, entries.event
            order by entries.entry_kind <> 'reversal', entries.reversed_ordinal, entries.entry_kind
        ) as ordinal
    from entries
    left join earlier using (document_type, document_id, event)
    left join versions using (document_type, document_id)
)

select
    left(sha256(concat_ws(
        chr(31), policies.organization_id, document_type, document_id, event, ordinal::varchar
    )), 32) as entry_id,                                    -- Hash of organization, document, event and ordinal.
    document_type,                                          -- Kind of BILL document.
    document_id,                                            -- BILL's id of the document.
    document_version::integer as document_version,          -- Version of the document that made it necessary.
    event,                                                  -- What happened to it.
    ordinal::integer as ordinal,                            -- 1, 2, 3 … among the entries of this event.
    entry_kind,                                             -- posting, reversal or late_adjustment.
    date,                                                   -- Day it counts for.
    document_date,                                          -- Day BILL shows.
    original_date,                                          -- Day it would count for without closes.
    entry_party_id as party_id,                             -- Vendor or customer.
    entry_description as description,                       -- Text for people.
    getvariable('as_of')::timestamp as posted_at,           -- When the books learnt it.
    reverses_entry_id,                                      -- The entry it takes back, for a reversal.
    if(entry_kind = 'late_adjustment', adjusts_entry_id, null) as adjusts_entry_id  -- The closed entry it adds to.
from numbered
cross join staging.policies as policies
