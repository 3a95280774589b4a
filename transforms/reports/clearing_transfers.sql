-- Which payments and receipts each transfer between the bank and BILL consists of.
--
-- BILL moves lump sums and names no payments. Where a day's transfers and payments add up to zero,
-- they belong together; of the rest the oldest payments count as transferred first. What a transfer
-- covers beyond these rows is itself in reports.clearing_in_flight.
--
-- grain: one row per transfer and item it covers
-- key: control, transfer_id, document_type, item_id
-- owner: team:accounting
-- macro: clearing_transfers_at(report_date, known_at)
with

-- A pool is a day that adds up by itself, or all that is left of the account.
pooled as (
    select
        *,
        document_type = 'money_movement' as is_transfer,
        if(is_matched_by_day, date, date '9999-12-31') as pool,
        if(amount > 0, 'debit', 'credit') as side
    from reports.clearing_items
),

running as (
    select
        *,
        sum(abs(amount)) over (
            partition by account_id, pool, side order by date, document_type, item_id
            rows between unbounded preceding and current row
        ) as used_until
    from pooled
),

-- Both sides laid end to end: from one cut to the next there is one item on either side.
cuts as (
    select
        account_id, pool, used_until,
        used_until - lag(used_until, 1, 0) over (
            partition by account_id, pool order by used_until
        ) as amount
    from (select distinct account_id, pool, used_until from running)
),

matches as (
    select
        cuts.amount, debits.control, debits.account_id, cuts.pool,
        if(debits.is_transfer, debits.item_id, credits.item_id) as transfer_id,
        if(debits.is_transfer, debits.date, credits.date) as transfer_date,
        if(debits.is_transfer, credits.document_type, debits.document_type) as document_type,
        if(debits.is_transfer, credits.item_id, debits.item_id) as item_id,
        if(debits.is_transfer, credits.date, debits.date) as date
    from cuts
    asof join (select * from running where side = 'debit') as debits
        on debits.account_id = cuts.account_id and debits.pool = cuts.pool
        and cuts.used_until <= debits.used_until
    asof join (select * from running where side = 'credit') as credits
        on credits.account_id = cuts.account_id and credits.pool = cuts.pool
        and cuts.used_until <= credits.used_until
    where debits.is_transfer or credits.is_transfer
)

select
    matches.control,                                            -- money out clearing or money in clearing.
    matches.account_id,                                         -- The clearing account.
    matches.transfer_id,                                        -- BILL's id of the movement of money.
    transfers.number as transfer_number,                        -- BILL's name for it.
    matches.transfer_date,                                      -- Day at the bank.
    matches.item_id,                                            -- BILL's id of the payment, receipt or movement it covers.
    matches.document_type,                                      -- payment, received_payment, or money_movement for money that came back.
    documents.number,                                           -- Number for people.
    parties.merged_party as party,                                 -- Vendor or customer, one name for all its spellings.
    matches.date,                                               -- Day the item entered clearing.
    sum(matches.amount)::decimal(18, 2) as amount,              -- How much of it this transfer moved.
    matches.pool = matches.date as is_exact                     -- The day adds up; else the oldest go first.
from matches
left join ledger.document_facts as transfers
    on transfers.document_id = matches.transfer_id and transfers.document_type = 'money_movement'
left join ledger.document_facts as documents
    on documents.document_type = matches.document_type and documents.document_id = matches.item_id
left join ledger.parties as parties on parties.party_id = documents.party_id
group by all
