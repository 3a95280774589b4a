-- What people said each account held when the books moved here, and when they said it.
--
-- grain: one row per account and run of moments with one balance
-- key: account_id, known_from
-- owner: team:accounting
select
    account_id,                                  -- The account.
    cutover_date,                                -- Day at whose end it stood.
    amount::decimal(18, 2) as amount,            -- Brought in, debit positive; 0.00: nothing, or taken back.
    reason,                                      -- Where the balance comes from.
    decided_at as known_from,                    -- The decision since which it was so (UTC).
    lead(decided_at, 1, timestamp '9999-12-31') over (
        partition by account_id order by decided_at
    ) as known_to                                -- The one that changed it (UTC).
from (
    select *
    from decisions.opening_balances
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by account_id, decided_at order by rowid desc) = 1
)
