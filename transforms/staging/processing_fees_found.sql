-- Processing fees that a deposit shows: what card customers paid on one day, less what arrived of it.
--
-- BILL keeps its fee back from the deposit and tells it nowhere. Where one deposit is a few percent
-- less than the card receipts of one day, fits no other day, and no other deposit fits that day, the
-- difference is the fee; once decided, the two belong together while they fit. Anything less certain
-- stays in clearing, where a person finds it.
--
-- grain: one row per receipt
-- key: received_payment_id
-- owner: team:accounting
with

receipts as (
    select
        received_payment_id, receipt_date, receipt_type, is_processing_fee_given,
        amount + convenience_fee as amount
    from staging.received_payments
    cross join staging.policies
    where is_booked and is_online and currency = home_currency and deposit_type <> 'WALLET'
),

card_receipts as (
    select received_payment_id, receipt_date, amount
    from receipts
    where receipt_type = 'CREDIT_CARD' and not is_processing_fee_given and amount > 0
),

card_days as (
    select receipt_date, sum(amount) as amount from card_receipts group by receipt_date
),

-- A deposit of exactly what somebody paid, or of exactly what came in on a day, hides no fee.
whole_amounts as (
    select receipt_date, amount from receipts
    union
    select receipt_date, sum(amount) from receipts group by receipt_date
),

deposits as (
    select money_movement_id, movement_number, movement_date, amount
    from staging.money_movements as movements
    where is_booked and clearing_side = 'receivables' and amount > 0
        and not exists (
            select 1
            from whole_amounts
            where whole_amounts.amount = movements.amount
                and movements.movement_date between whole_amounts.receipt_date and whole_amounts.receipt_date + 10
        )
),

-- Cards cost some three percent.
fitting as (
    select
        card_days.receipt_date, deposits.money_movement_id, deposits.movement_number,
        deposits.movement_date, card_days.amount - deposits.amount as fee
    from card_days
    inner join deposits
        on deposits.movement_date between card_days.receipt_date and card_days.receipt_date + 10
        and card_days.amount - deposits.amount between 0.01 and 0.05 * card_days.amount + 0.50
),

decided as (
    select
        received_payment_id, last_decided(money_movement_id, decided_at, rowid) as money_movement_id,
        last_decided(amount, decided_at, rowid) as amount
    from decisions.processing_fees
    where decided_at <= getvariable('as_of')
    group by received_payment_id
),

kept as (
    select distinct fitting.*
    from fitting
    inner join card_receipts using (receipt_date)
    inner join decided using (received_payment_id, money_movement_id)
    where decided.amount > 0
),

certain as (
    select *
    from (
        select
            *, count(*) over (partition by receipt_date) as deposits_of_day,
            count(*) over (partition by money_movement_id) as days_of_deposit
        from fitting
        where receipt_date not in (select receipt_date from kept)
            and money_movement_id not in (select money_movement_id from kept)
    )
    where deposits_of_day = 1 and days_of_deposit = 1
),

running as (
    select
        card_receipts.received_payment_id, card_receipts.amount, found.*,
        sum(card_receipts.amount) over so_far as amount_so_far,
        sum(card_receipts.amount) over (partition by found.receipt_date) as amount_of_day
    from card_receipts
    inner join (select * from kept union all by name select * from certain) as found using (receipt_date)
    window so_far as (partition by found.receipt_date order by received_payment_id)
)

select
    received_payment_id,                     -- BILL's id of the receipt.
    (
        share_of(fee, amount, amount_so_far, amount_of_day)
    )::decimal(18, 2) as amount,             -- Its part of the day's fee; the parts add up to it.
    money_movement_id,                       -- BILL's id of the deposit.
    format(
        'deposit {} of {} is {} less than the card receipts of {}',
        coalesce(movement_number, money_movement_id), movement_date::varchar,
        fee::decimal(18, 2)::varchar, receipt_date::varchar
    ) as reason                              -- How it was found, in words.
from running
