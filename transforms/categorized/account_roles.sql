-- Which account plays each role in the posting rules; decided once and never guessed again.
--
-- grain: one row per role
-- key: role
-- owner: team:accounting
-- named: roles
select
    role,                                                       -- Role in the posting rules, for example ap_control.
    last_decided(account_id, decided_at, rowid) as account_id,  -- The account that plays it.
    last_decided(reason, decided_at, rowid) as reason,          -- Why this one.
    max(decided_at) as decided_at                               -- Since when.
from decisions.account_roles
where decided_at <= getvariable('as_of')
group by role
