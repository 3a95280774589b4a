-- No balance stays in one statement because its account's type was changed to one of the other.
--
-- A person moves it by an entry on an open day, or lets it stand: `bill-pipeline retyped` lists it,
-- shows the entry and posts it; the console does on the page Close. The type that the account had,
-- given to it again in BILL, counts from the first open day. Where it was moved and its amount or the
-- account's type changed since, the decision no longer fits: move it again, or withdraw the decision.
--
-- table: reports.retyped_accounts
-- severity: warn
select account_id, account_code, account_name, account_type_before, account_type, first_day, balance_kept, balance_kept_cash
from reports.retyped_accounts
where (balance_kept <> 0 and not (coalesce(decision, '') = 'keep' and balance_kept = amount_decided))
    -- Moved before it was known what had been paid.
    or (balance_kept_cash <> 0 and decision = 'move')
union all
select
    decided.account_id, accounts.account_code, accounts.account_name, null, null, decided.first_day, -decided.amount,
    -decided.amount_cash
from ledger.reclassifications as decided
left join ledger.accounts as accounts on accounts.account_id = decided.account_id
anti join reports.retyped_accounts as retyped
    on retyped.account_id = decided.account_id and retyped.first_day = decided.first_day
where decided.action = 'move'
