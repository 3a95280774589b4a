-- An entry is reversed at most once, by its exact opposite on its own day.
--
-- table: ledger.journal_entries
-- follows: document
-- severity: error
select entry_id, reason
from (
    select reverses_entry_id as entry_id, 'reversed more than once' as reason
    from ledger.journal_entries
    where reverses_entry_id is not null
    group by reverses_entry_id
    having count(*) > 1
    union all
    select reversals.entry_id, 'not the opposite of what it reverses'
    from ledger.journal_lines as reversals
    left join ledger.journal_lines as reversed
        on reversed.entry_id = reversals.reverses_entry_id and reversed.line_no = reversals.line_no
    where reversals.reverses_entry_id is not null
        and (reversals.amount + reversed.amount is distinct from 0 or reversals.date <> reversed.date
            or reversals.account_id <> reversed.account_id)
)
