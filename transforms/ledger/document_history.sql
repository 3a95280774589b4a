-- What documents said before they were changed: days, cards and rates, which the journal does not keep.
--
-- ledger.document_facts puts them in place of what ledger.documents says now.
--
-- grain: one row per version of a bill, invoice, payment or receipt that another one replaced
-- key: document_type, document_id, version
-- owner: team:accounting
-- follows: document_id
with

versions as (
    select
        list, id, version, seen_at,
        lead(seen_at) over (partition by list, id order by version) as replaced_at,
        from_json(document, '{
            "invoice": {"invoiceDate": "VARCHAR", "invoiceNumber": "VARCHAR"}, "invoiceDate": "VARCHAR", "processDate": "VARCHAR",
            "paymentDate": "VARCHAR", "dueDate": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "fundingAmount": "VARCHAR", "exchangeRate": "VARCHAR", "disbursementType": "VARCHAR",
            "fundingAccount": {"type": "VARCHAR"}, "invoiceNumber": "VARCHAR", "referenceNumber": "VARCHAR",
            "transactionNumber": "VARCHAR", "confirmationNumber": "VARCHAR", "status": "VARCHAR",
            "singleStatus": "VARCHAR", "paymentStatus": "VARCHAR", "vendorId": "VARCHAR",
            "customerId": "VARCHAR"
        }') as d
    from staging.versions_known
    where list in ('bills', 'invoices', 'payments', 'received_payments')
    qualify replaced_at is not null
),

readings as (
    select
        *,
        day_of(d.dueDate) as due_date,
        coalesce(
            day_of(d.invoice.invoiceDate), day_of(d.invoiceDate), day_of(d.processDate), day_of(d.paymentDate)
        ) as document_date,
        coalesce(d.createdTime::date, seen_at::date) as day_of_entry
    from versions
)

select
    document_type_of(list) as document_type,                          -- bill, invoice, payment or received_payment.
    id as document_id,                                                -- BILL's id of the document.
    version,                                                          -- 1, 2, 3 … as in document_versions.
    seen_at as known_from,                                            -- The sync that brought this version (UTC).
    replaced_at as known_to,                                       -- The sync that brought the next one (UTC).
    coalesce(document_date, due_date, day_of_entry) as document_date, -- Day on the document.
    coalesce(due_date, document_date, day_of_entry) as due_date,      -- Due date; its own date where it had none.
    case
        when list = 'payments' then
            coalesce(d.fundingAccount.type in ('CARD_ACCOUNT', 'AP_CARD'), false)
            or coalesce(d.disbursementType in ('VIRTUAL_CARD', 'AMEX'), false)
    end as is_paid_by_card,                                           -- A payment that a card carried: paid by one, or to the vendor on one.
    -- BILL prices in dollars.
    home_currency = 'USD' and (
        coalesce(amount_of(d.fundingAmount) <> 0, false)
        or (list <> 'payments' and coalesce(rate_of(d.exchangeRate) <> 0, false))
    ) as is_rate_given,                                               -- BILL priced it in home currency.
    coalesce(
        d.invoice.invoiceNumber, d.invoiceNumber, d.transactionNumber, d.confirmationNumber, d.referenceNumber
    ) as number,                                                      -- Number for people.
    coalesce(d.paymentStatus, d.singleStatus, d.status, 'UNDEFINED') as status,  -- BILL's status.
    coalesce(d.vendorId, d.customerId) as party_id                    -- Vendor or customer.
from readings
cross join staging.policies
