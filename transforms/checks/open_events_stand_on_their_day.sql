-- What belongs in the open periods stands there on its own day, and nothing else does but differences to closed ones.
--
-- table: ledger.journal_lines
-- follows: document
-- severity: error
with

differences as (
    select entry_id from ledger.journal_entries where entry_kind = 'late_adjustment'
)

select document_type, document_id, event, date, account_id, sum(amount) as difference
from (
    select document_type, document_id, event, date, account_id, amount
    from ledger.journal_lines
    where entry_id not in (select entry_id from differences)
        and (reverses_entry_id is null or reverses_entry_id not in (select entry_id from differences))
    union all
    select document_type, document_id, event, date, account_id, -amount
    from ledger.postings
)
cross join staging.policies as policies
where policies.closed_through is null or date > policies.closed_through
group by document_type, document_id, event, date, account_id
having sum(amount) <> 0
