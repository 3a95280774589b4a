-- The open items of each party add up to its agings, with the same signs.
--
-- table: reports.open_items
-- severity: error
select control, party_id, sum(amount) as difference
from (
    select control, party_id, amount_owed as amount from reports.open_items
    union all
    select 'payables', party_id, -amount_total from reports.payables_aging
    union all
    select 'vendor advances', party_id, -amount_advances from reports.payables_aging
    union all
    select 'receivables', party_id, -amount_total from reports.receivables_aging
    union all
    select 'customer credits', party_id, -amount_advances from reports.receivables_aging
)
group by control, party_id
having sum(amount) <> 0
