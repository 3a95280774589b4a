-- What open foreign bills and invoices would gain or lose at the latest rate BILL used; a memo, never posted.
--
-- grain: one row per open foreign document
-- key: document_type, document_id
-- owner: team:accounting
-- totals: amount_open, amount_revalued, unrealized_gain
-- macro: unrealized_revaluation_at(report_date, known_at)
with

currencies as (
    select distinct open_items.currency
    from reports.open_items as open_items
    cross join ledger.books as books
    where open_items.currency <> books.home_currency
),

-- What each document is worth by its own entry, also where that is of before the books begin.
lines as (
    select document_type, document_id, event, line_key, open_item_id, currency, amount_currency, amount
    from ledger.journal_lines
    where currency in (from currencies)
        and posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    union all by name
    select document_type, document_id, event, line_key, open_item_id, currency, amount_currency, amount
    from ledger.lines_before_books
),

worths as (
    select
        document_type, document_id, currency, abs(sum(amount_currency)) as amount, abs(sum(amount)) as amount_home
    from lines
    where currency <> 'XXX'
        and (
            (document_type in ('bill', 'invoice') and event = 'entered' and open_item_id = document_id)
            or (document_type in ('payment', 'received_payment') and line_key = 'cash')
        )
    group by document_type, document_id, currency
),

documents as (
    select worths.*, facts.date
    from worths
    inner join ledger.document_facts as facts
        on facts.document_type = worths.document_type and facts.document_id = worths.document_id
    where facts.is_rate_given
),

-- BILL gives no rates, so the latest payment or bill in the currency that it priced is the market.
rates as (
    select
        currency,
        arg_max(amount, (date, document_id)) as foreign_amount,
        arg_max(amount_home, (date, document_id)) as home_amount,
        max(date) as rate_date
    from documents
    cross join ledger.books
    where amount > 0 and amount_home > 0
        and date <= coalesce(getvariable('report_date'), known_until::date)
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
