-- What people decided about balances that a change of their account's type left under the old one.
--
-- The last decision counts. Amounts are those that were shown when it was made; after a withdrawal,
-- those of what it withdrew.
--
-- grain: one row per account and first day of its new type
-- key: account_id, first_day
-- owner: team:accounting
-- columns: ledger.reclassification_versions
-- macro: reclassifications_at(known_at)
select
    document_id, account_id, first_day, action, date, is_to_balance_sheet, amount, amount_earlier, amount_cash,
    amount_earlier_cash, earnings_account_id,
    known_from as decided_at,  -- When it was decided (UTC).
    decided_by, reason
from ledger.reclassification_versions
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
