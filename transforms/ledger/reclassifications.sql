-- What people decided about balances that a change of their account's type left under the old one.
--
-- The last decision counts. Amounts are those that were shown when it was made; after a withdrawal,
-- those of what it withdrew.
--
-- grain: one row per account and first day of its new type
-- key: account_id, first_day
-- owner: team:accounting
with

decided as (
    select
        account_id, first_day,
        arg_max(struct_pack(
            action := action, decided_at := decided_at, decided_by := decided_by, reason := reason
        ), (decided_at, rowid)) as last,
        arg_max(struct_pack(
            date := date, is_to_balance_sheet := is_to_balance_sheet, amount := amount,
            amount_earlier := amount_earlier, amount_cash := amount_cash,
            amount_earlier_cash := amount_earlier_cash
        ), (decided_at, rowid)) filter (where action <> 'withdraw') as said
    from decisions.reclassifications
    where decided_at <= getvariable('as_of')
    group by account_id, first_day
)

select
    decided.account_id || ':' || decided.first_day as document_id,  -- Names its entry in the journal.
    decided.account_id,                                             -- BILL's id of the account.
    decided.first_day,                                              -- First day whose postings have the new type.
    decided.last.action as action,                                  -- move: by an entry; keep: it stands as it is; withdraw: neither any more.
    decided.said.date as date,                                      -- Day of the entry; null where the balance is kept.
    decided.said.is_to_balance_sheet as is_to_balance_sheet,        -- From profit and loss to the balance sheet; else the other way.
    decided.said.amount as amount,                                  -- Balance under the old type, debit positive.
    decided.said.amount_earlier as amount_earlier,                  -- Of it, what is of fiscal years before the entry's: it goes to retained earnings.
    decided.said.amount_cash as amount_cash,                        -- The balance on the cash basis.
    decided.said.amount_earlier_cash as amount_earlier_cash,        -- Of that, what is of earlier fiscal years.
    roles.retained_earnings as earnings_account_id,                 -- Account of retained earnings.
    decided.last.decided_at as decided_at,                          -- When it was decided (UTC).
    decided.last.decided_by as decided_by,                          -- By whom.
    decided.last.reason as reason                                   -- Why.
from decided
cross join ledger.role_accounts as roles
