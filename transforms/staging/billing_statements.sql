-- What BILL itself charged the client, statement by statement.
--
-- grain: one row per billing statement
-- key: billing_statement_id
-- owner: team:accounting
-- follows: billing_statement_id
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        from_json(document, '{
            "invoiceNumber": "VARCHAR", "invoiceDate": "VARCHAR", "paymentDate": "VARCHAR",
            "amount": "VARCHAR", "totalAmount": "VARCHAR",
            "statementDetails": [{"quantity": "VARCHAR", "description": "VARCHAR",
                "type": "VARCHAR", "amount": "VARCHAR"}]
        }') as d
    from staging.documents_known
    where list = 'billing_statements'
)

select
    id as billing_statement_id,                             -- BILL's id of the statement.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    unreadable_values(
        list_concat([d.amount, d.totalAmount], list_transform(d.statementDetails, lambda charge: charge.amount)),
        [d.invoiceDate, d.paymentDate],
        null::decimal(18, 2), null::decimal(18, 8)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    d.invoiceNumber as statement_number,                    -- Number on the statement.
    coalesce(day_of(d.invoiceDate), day_of(d.paymentDate), seen_at::date) as statement_date,  -- Day it counts for.
    day_of(d.paymentDate) as payment_date,                          -- Day BILL takes the money; null until then.
    coalesce(
        amount_of(d.amount), amount_of(d.totalAmount),
        list_sum(list_transform(d.statementDetails, lambda charge: amount_of(charge.amount))), 0
    )::decimal(18, 2) as amount,                            -- Total charged.
    d.statementDetails as lines,                            -- The charges, typed.
    not is_archived and unreadable is null as is_booked                            -- Belongs in the books.
from documents
