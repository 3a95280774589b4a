-- The ledger account that each bank account and card stands for: as a person said, else as BILL links it.
--
-- A bank account without one is not here, and its money stays in clearing; so does that of one that BILL
-- links to payables or receivables.
--
-- grain: one row per bank account or card
-- key: funding_account_id
-- owner: team:accounting
-- named: funding_accounts
with

-- Roles are called bank:<id> and card:<id> by BILL's id.
chosen as (
    select regexp_extract(role, '^(bank|card):(.+)$', 2) as funding_account_id, account_id
    from categorized.account_roles
    where regexp_matches(role, '^(bank|card):.') and account_id <> ''
),

linked as (
    select bank_account_id as funding_account_id, account_id
    from staging.bank_accounts
    where account_id is not null
        and account_id not in (
            select account_id
            from decisions.account_roles
            where decided_at <= getvariable('as_of') and role in ('ap_control', 'ar_control')
        )
)

select
    coalesce(chosen.funding_account_id, linked.funding_account_id) as funding_account_id,  -- BILL's id of the bank account or card.
    coalesce(chosen.account_id, linked.account_id) as account_id,  -- The ledger account.
    chosen.account_id is not null as is_chosen                    -- By a role; else BILL links it.
from chosen
full join linked using (funding_account_id)
