-- Differences to closed periods, posted on the first open day instead.
--
-- What a document's date took out of a closed period is here; on the day to which it moved it stands
-- as any other entry does.
--
-- grain: one row per line of a late adjustment
-- key: entry_id, line_no
-- owner: team:accounting
-- macro: late_adjustments_between(period_start, period_end, known_at)
select
    lines.entry_id,                                   -- The late adjustment.
    lines.line_no,                                    -- Position in the entry.
    lines.date,                                       -- First open day, where it was posted.
    entries.original_date,                            -- Day it would count for if no period were closed.
    moved.date as moved_to_date,                      -- Open day on which it counts now, where the date left the closed period; as it was posted then.
    lines.document_type,                              -- Kind of BILL document.
    lines.document_id,                                -- BILL's id of the document.
    entries.document_version,                         -- Version of the document that made it necessary.
    coalesce(parties.merged_party_id, lines.party_id) as party_id,  -- Vendor or customer, one id for all its spellings.
    parties.merged_party as party,                    -- Its name.
    lines.account_id,                                 -- Account adjusted.
    accounts.account_name,                            -- Its name.
    lines.amount,                                     -- Debit positive.
    entries.adjusts_entry_id,                         -- The closed entry it adds to.
    lines.posted_at,                                  -- When the books learnt it.
    later.entry_id is not null as was_taken_back      -- Reversed since, after a reopening or a further change.
from ledger.journal_lines as lines
inner join ledger.journal_entries as entries on entries.entry_id = lines.entry_id
left join ledger.journal_entries as later
    on later.reverses_entry_id = lines.entry_id
    and later.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
left join ledger.journal_entries as moved
    on moved.document_type = entries.document_type and moved.document_id = entries.document_id
    and moved.event = entries.event and moved.posted_at = entries.posted_at and moved.entry_kind = 'posting'
left join ledger.parties as parties on parties.party_id = lines.party_id
left join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(lines.type_date, lines.date) between accounts.valid_from and accounts.valid_to
where lines.entry_kind = 'late_adjustment'
    and in_period(lines.date)
    and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
