-- What open foreign bills and invoices would gain or lose at the latest rate BILL used; a memo, never posted.
--
-- grain: one row per open foreign document
-- key: document_type, document_id
-- owner: team:accounting
-- macro: unrealized_revaluation_at(report_date, known_at)
with

-- What each document was worth as the journal knew it then.
worths_known as (
    select
        document_type, document_id, abs(sum(amount_currency)) as amount, abs(sum(amount)) as amount_home
    from ledger.journal_lines
    where posted_at <= getvariable('known_at')
        and (
            (document_type in ('bill', 'invoice') and event in ('entered', 'opened') and open_item_id = document_id)
            or (document_type in ('payment', 'received_payment') and line_key = 'cash')
        )
    group by document_type, document_id
),

documents as (
    select
        documents.document_id, documents.currency,
        coalesce(earlier.document_date, documents.date) as date,
        -- Null in books that were published before there was the column.
        coalesce(earlier.is_rate_given, documents.is_rate_given, true) as is_rate_given,
        case
            when getvariable('known_at') is not null then worths_known.amount
            when documents.is_booked then documents.amount
        end as amount,
        if(getvariable('known_at') is null, documents.amount_home, worths_known.amount_home) as amount_home
    from ledger.documents as documents
    left join ledger.document_history as earlier
        on earlier.document_type = documents.document_type and earlier.document_id = documents.document_id
        and getvariable('known_at') >= earlier.known_from and getvariable('known_at') < earlier.known_to
    left join worths_known
        on worths_known.document_type = documents.document_type
        and worths_known.document_id = documents.document_id
    where documents.document_type in ('bill', 'payment', 'invoice', 'received_payment')
        and documents.currency <> 'XXX'
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
    where amount > 0 and amount_home > 0 and is_rate_given
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
