-- The payments, receipts and transfers of bank accounts and cards that have a ledger account now.
--
-- grain: one row per document
select payment_id as id from staging.payments where funding_account_id in (select key from new_keys)
union
select received_payment_id from staging.received_payments where deposit_account_id in (select key from new_keys)
union
select money_movement_id from staging.money_movements where bank_account_id in (select key from new_keys)
