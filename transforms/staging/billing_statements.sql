-- What BILL itself charged the client, statement by statement.
--
-- grain: one row per billing statement
-- key: billing_statement_id
-- owner: team:accounting
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        from_json(document, '{
            "invoiceNumber": "VARCHAR", "invoiceDate": "DATE", "paymentDate": "DATE",
            "amount": "DECIMAL(18,2)", "totalAmount": "DECIMAL(18,2)",
            "statementDetails": [{"quantity": "DECIMAL(18,6)", "description": "VARCHAR",
                "type": "VARCHAR", "amount": "DECIMAL(18,2)"}]
        }') as d
    from staging.documents_known
    where list = 'billing_statements'
)

select
    id as billing_statement_id,                             -- BILL's id of the statement.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.invoiceNumber as statement_number,                    -- Number on the statement.
    coalesce(d.invoiceDate, d.paymentDate, seen_at::date) as statement_date,  -- Day it counts for.
    d.paymentDate as payment_date,                          -- Day BILL takes the money; null until then.
    coalesce(
        d.amount, d.totalAmount,
        list_sum(list_transform(d.statementDetails, x -> x.amount)), 0
    )::decimal(18, 2) as amount,                            -- Total charged.
    d.statementDetails as lines,                            -- The charges, typed.
    not is_archived as is_booked                            -- Belongs in the books.
from documents
