-- No foreign document's rate is far from the usual one of its currency: a flipped or missing rate.
--
-- table: ledger.documents
-- severity: warn
with

rates as (
    select
        document_type, document_id, currency, amount, amount_home,
        amount_home::double / amount::double as rate
    from ledger.documents
    cross join ledger.books
    where is_booked and currency not in (home_currency, 'XXX') and amount > 0
        and document_type in ('bill', 'payment', 'invoice', 'received_payment')
),

usual_rates as (
    select currency, median(rate) as usual_rate, count(*) as document_count
    from rates
    group by currency
)

select document_type, document_id, currency, amount, amount_home, round(usual_rate, 6) as usual_rate
from rates
inner join usual_rates using (currency)
-- Two documents cannot outvote each other; exchange rates move less than a third in a few years.
where document_count >= 3 and (rate > usual_rate * 1.33 or rate < usual_rate / 1.33)
