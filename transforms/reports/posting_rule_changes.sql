-- What changed posting rules moved: by document, account and day, what was posted anew.
--
-- Reversals and new entries of one change are added up; what came out the same is left out.
-- Differences to closed periods are late adjustments on the first open day.
--
-- grain: one row per change of the rules, document, account and day
-- key: posted_at, document_type, document_id, account_id, date
-- owner: team:accounting
-- macro: posting_rule_changes_between(period_start, period_end, known_at)
select
    lines.posted_at,                                             -- When the books were posted under the new rules.
    lines.document_type,                                         -- Kind of BILL document.
    lines.document_id,                                           -- BILL's id of the document.
    any_value(parties.merged_party order by lines.line_id) as party,  -- Vendor or customer, one name for all its spellings.
    lines.account_id,                                            -- Account moved.
    any_value(accounts.account_name) as account_name,            -- Its name.
    lines.date,                                                  -- Day it counts for.
    sum(lines.amount)::decimal(18, 2) as amount,                 -- Moved, debit positive.
    bool_or(lines.entry_kind = 'late_adjustment') as is_late,    -- A difference to a closed period.
    count(distinct lines.entry_id) as entry_count                -- Entries posted, reversals among them.
from ledger.journal_lines as lines
inner join ledger.journal_entries as entries on entries.entry_id = lines.entry_id
left join ledger.parties as parties on parties.party_id = lines.party_id
left join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(lines.type_date, lines.date) between accounts.valid_from and accounts.valid_to
where entries.cause = 'posting rules changed'
    and in_period(lines.date)
    and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
group by lines.posted_at, lines.document_type, lines.document_id, lines.account_id, lines.date
having sum(lines.amount) <> 0
