-- Cash paid to each flagged vendor in each calendar year, against the year's threshold of Form 1099.
--
-- Card payments are left out: the card company reports them. Void payments are not in the books.
--
-- grain: one row per vendor and year
-- key: party_id, year
-- owner: team:accounting
with

-- 600 through payments of 2025, 2,000 from 2026; later years are indexed by policy.
thresholds as (
    select
        years.year,
        coalesce(policies.form_1099_threshold, if(years.year <= 2025, 600, 2000)) as threshold
    from (select distinct year(payment_date) as year from staging.payments) as years
    cross join staging.policies as policies
),

payments as (
    select vendor_id as party_id, year(payment_date) as year, sum(amount_home) as amount
    from staging.payments
    where is_booked
        and funding_type not in ('CARD_ACCOUNT', 'AP_CARD')
        and disbursement_type not in ('VIRTUAL_CARD', 'AMEX')
    group by all
)

select
    payments.party_id,                                           -- BILL's id of the vendor.
    parties.party,                                               -- Its name as BILL last reported it.
    payments.year,                                               -- Calendar year of the payments.
    payments.amount::decimal(18, 2) as amount,                   -- Cash paid, cards left out.
    thresholds.threshold::decimal(18, 2) as threshold,           -- Of that year, or the client's policy.
    payments.amount >= thresholds.threshold as is_reportable     -- A form is due.
from payments
inner join thresholds using (year)
inner join ledger.parties as parties on parties.party_id = payments.party_id
where parties.is_1099_vendor
