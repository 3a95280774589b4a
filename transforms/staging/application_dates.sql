-- When each use of a vendor credit or credit memo was first seen, because BILL does not date them.
--
-- grain: one row per use: credit, position, document it was applied to and amount
-- key: list, credit_id, position, applied_to_id, amount
-- owner: team:accounting
with

versions as (
    select
        list,
        id,
        coalesce(updated_at, seen_at) as changed_at,
        from_json(document, '{"usage": [{"billId": "VARCHAR", "invoiceId": "VARCHAR", "amount": "DECIMAL(18,2)"}]}')
            .usage as usage
    from raw.document_versions
    where list in ('vendor_credits', 'credit_memos') and seen_at <= getvariable('as_of')
),

uses as (
    select
        list, id, changed_at, unnest(usage) as used, generate_subscripts(usage, 1) as position
    from versions
)

select
    list,                                                  -- vendor_credits or credit_memos.
    id as credit_id,                                       -- BILL's id of the credit.
    position::integer as position,                         -- Position among the credit's uses, from 1.
    coalesce(used.billId, used.invoiceId) as applied_to_id,  -- The bill or invoice.
    coalesce(used.amount, 0)::decimal(18, 2) as amount,    -- How much of it, in the credit's currency.
    min(changed_at)::date as first_seen_date               -- BILL's day of the first version that shows it.
from uses
group by all
