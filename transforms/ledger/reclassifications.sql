-- What people decided about balances that a change of their account's type left under the old one.
--
-- The last decision counts. Amounts are those that were shown when it was made; after a withdrawal,
-- those of what it withdrew.
--
-- grain: one row per account and first day of its new type
-- key: account_id, first_day
-- owner: team:accounting
-- macro: reclassifications_at(known_at)
select
    document_id,               -- Names its entry in the journal.
    account_id,                -- BILL's id of the account.
    first_day,                 -- First day whose postings have the new type.
    action,                    -- move: by an entry; keep: it stands as it is; withdraw: neither any more.
    date,                      -- Day of the entry; null where the balance is kept.
    is_to_balance_sheet,       -- From profit and loss to the balance sheet; else the other way.
    amount,                    -- Balance under the old type, debit positive.
    amount_earlier,            -- Of it, what is of fiscal years before the entry's: it goes to retained earnings.
    amount_cash,               -- The balance on the cash basis.
    amount_earlier_cash,       -- Of that, what is of earlier fiscal years.
    earnings_account_id,       -- Account of retained earnings.
    known_from as decided_at,  -- When it was decided (UTC).
    decided_by,                -- By whom.
    reason                     -- Why.
from ledger.reclassification_versions
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
