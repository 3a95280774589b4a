-- Transfers between the bank and BILL's clearing accounts, as BILL's older interface lists them.
--
-- grain: one row per money movement
-- key: money_movement_id
-- owner: team:accounting
-- follows: money_movement_id
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        from_json(document, '{
            "name": "VARCHAR", "type": "VARCHAR", "status": "VARCHAR",
            "amount": "VARCHAR", "processDate": "VARCHAR", "bankAccountId": "VARCHAR"
        }') as d
    from staging.documents_known
    where list = 'money_movements'
)

select
    id as money_movement_id,                                -- BILL's id of the movement.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.name as movement_number,                              -- BILL's name for it.
    if(d.type = '2', 'receivables', 'payables') as clearing_side,  -- Which clearing account it drains.
    unreadable_values([d.amount], [d.processDate], null::decimal(18, 2), null::decimal(18, 8)) as unreadable,  -- Amounts and days that are none, so that it is set aside; null: all can be read.
    -- Older rows write the date with a time behind it.
    coalesce(day_of(d.processDate), seen_at::date) as movement_date,  -- Day at the bank.
    -- BILL shows withdrawals for payables as negative amounts; a positive one is a refund.
    -- The sign is the bank's side: money out is negative.
    coalesce(amount_of(d.amount), 0)::decimal(18, 2) as amount,        -- Change of the bank balance.
    d.bankAccountId as bank_account_id,                     -- BILL's id of the bank account.
    d.status = '1' and not is_archived and unreadable is null as is_booked         -- Only confirmed movements count.
from documents
