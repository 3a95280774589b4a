-- Every account has one type for the postings of each day, from the first day to the last.
--
-- table: ledger.accounts_by_day
-- severity: error
select account_id, valid_from, valid_to
from (
    select
        *,
        coalesce(lag(valid_to) over by_day + 1, date '0001-01-01') as expected_from,
        coalesce(lead(valid_from) over by_day - 1, date '9999-12-31') as expected_to
    from ledger.accounts_by_day
    window by_day as (partition by account_id order by valid_from)
)
where valid_from <> expected_from or valid_to <> expected_to
union all
select accounts.account_id, null, null
from ledger.accounts as accounts
where accounts.account_id not in (select account_id from ledger.accounts_by_day)
