-- What open foreign bills and invoices would gain or lose at the latest rate BILL used; a memo, never posted.
--
-- grain: one row per open foreign document
-- key: document_type, document_id
-- owner: team:accounting
-- macro: unrealized_revaluation_at(report_date, known_at)
with

-- BILL gives no rates, so the latest payment or bill in the currency that it priced is the market.
rates as (
    select
        currency,
        arg_max(amount, (date, document_id)) as foreign_amount,
        arg_max(amount_home, (date, document_id)) as home_amount,
        max(date) as rate_date
    from ledger.documents
    cross join ledger.books
    where is_booked and amount > 0 and amount_home > 0
        -- Null in books that were published before there was the column.
        and coalesce(is_rate_given, true) and currency <> 'XXX'
        and date <= coalesce(getvariable('report_date'), known_until::date)
        and document_type in ('bill', 'payment', 'invoice', 'received_payment')
    group by currency
)

select
    open_items.document_id,                                          -- BILL's id of the document.
    open_items.document_type,                                        -- bill, invoice, vendor_credit or credit_memo.
    open_items.party_id,                                             -- Vendor or customer.
    open_items.party,                                                -- Its name.
    open_items.currency,                                             -- Its currency.
    open_items.amount_open_currency,                                 -- Open in that currency, debit positive.
    open_items.amount_open,                                          -- Open at the document's own rate.
    rates.rate_date,                                                 -- Day of the rate.
    prorated(
        rates.home_amount, open_items.amount_open_currency, rates.foreign_amount
    )::decimal(18, 2) as amount_revalued,                            -- Open at the latest rate.
    (
        prorated(rates.home_amount, open_items.amount_open_currency, rates.foreign_amount)
        - open_items.amount_open
    )::decimal(18, 2) as unrealized_gain                             -- Gain (+) or loss (-).
from reports.open_items as open_items
inner join rates using (currency)
cross join ledger.books as books
where open_items.currency <> books.home_currency
    and open_items.control in ('payables', 'receivables')
