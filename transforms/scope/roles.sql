-- Every document with a line, as null, where an account is new that lines without a category are booked to.
--
-- grain: one row
select null::varchar as id
from new_keys
where key in ('uncategorized_expense', 'uncategorized_income', 'short_pay')
