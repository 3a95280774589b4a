-- Every document line in the parts that are booked: one, unless a person split it.
--
-- grain: one row per document line and part
-- key: document_type, document_id, line_id, part_no
-- owner: team:accounting
-- materialize: view
-- follows: document_id
-- columns: categorized.lines
with

-- The parts' positions and values are unnested side by side, so a line gives as many rows as parts.
parts as (
    select *, null as part, 1 as part_no, 1 as part_count
    from categorized.lines
    where parts is null
    union all by name
    select
        *, unnest(parts) as part, unnest(range(1, len(parts) + 1))::integer as part_no,
        len(parts)::integer as part_count
    from categorized.lines
    where parts is not null
)

select
    document_type, document_id, line_id,
    part_no,                         -- Number of the part, from 1.
    part_count,                      -- Parts of the line; 1 when it is whole.
    if(part_no = 1, line_id, line_id || ':part-' || part_no) as line_key,  -- Tells a document's parts apart; the first keeps the line's id.
    line_no, is_booked, date, party_id, party,
    coalesce(part.description, description) as description,  -- Text of the part, else of the line.
    coalesce(part.amount, amount) as amount,                 -- Of the part; negative lines are negative.
    currency,
    coalesce(part.class_id, class_id) as class_id,                 -- Accounting class.
    coalesce(part.department_id, department_id) as department_id,  -- Department.
    coalesce(part.location_id, location_id) as location_id,        -- Location.
    job_id,
    coalesce(part.account_id, account_id) as account_id,           -- The account that counts.
    category_source, confidence, needs_review, model_version, reason, alternatives, rule_id,
    is_sampled, decided_at,
    bill_account_id, features_hash
from parts
