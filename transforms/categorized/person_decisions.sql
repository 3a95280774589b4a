-- What a person last decided about each document line, wherever in its document the line stands after.
--
-- Where BILL gives a line no id of its own, its id here is its position, and positions change. The
-- decision then stays with what it was about: the line of the version that the person saw, found again
-- by all that BILL says of it, else by its amount, text and item, else by its text and item, where only
-- one line has these in either version. What cannot be found again is asked anew.
--
-- grain: one row per document line that a person decided about
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- follows: document_id
with

documents as (
    select
        document_type, document_id,
        case document_type
            when 'bill' then 'bills' when 'vendor_credit' then 'vendor_credits'
            when 'invoice' then 'invoices' when 'credit_memo' then 'credit_memos'
        end as list,
        max(version) as version, max(known_at) as known_at
    from categorized.document_lines
    group by document_type, document_id
),

decided as (
    select
        made.*, made.rowid as decision_no, documents.list, documents.version,
        -- What is decided before there is a document is decided about its first version.
        coalesce(
            (
                select max(seen.version)
                from raw.document_versions as seen
                where seen.list = documents.list and seen.id = made.document_id
                    and seen.version <= documents.version and seen.seen_at <= made.decided_at
            ), 1
        ) as version_seen
    from decisions.categories as made
    inner join documents using (document_type, document_id)
    where made.source = 'person' and made.decided_at <= getvariable('as_of') and made.decided_at <= documents.known_at
),

compared as (
    select
        versions.list, versions.id, versions.version,
        document_as(
            coalesce(
                json_extract(document, '$.billLineItems'), json_extract(document, '$.vendorCreditLineItems'),
                json_extract(document, '$.invoiceLineItems'), json_extract(document, '$.creditMemoLineItems')
            ),
            '[{"id": "VARCHAR", "amount": "VARCHAR", "price": "VARCHAR", "quantity": "VARCHAR",
            "description": "VARCHAR",
            "classifications": "CLASSIFICATIONS"}]'
        ) as lines
    from (
        select list, id, version, without_empty_references(document) as document
        from raw.document_versions
        semi join (
            select list, document_id as id, version from decided where version_seen <> version
            union
            select list, document_id, version_seen from decided where version_seen <> version
        ) as wanted using (list, id, version)
    ) as versions
),

lines as (
    select list, id, version, line, position
    from (
        select list, id, version, unnest(lines) as line, generate_subscripts(lines, 1) as position
        from compared
    )
    where line is not null
    union all
    -- A document without lines is one line, of which BILL says nothing.
    select list, id, version, null, 1
    from compared
    where coalesce(len(list_filter(lines, lambda line: line is not null)), 0) = 0
),

described as (
    select
        list, id, version, position, line.id as bill_line_id,
        line_id_of(
            line.id, row_number() over (partition by list, id, version, line.id order by position), position
        ) as line_id,
        line.id is not null and count(*) over (partition by list, id, version, line.id) = 1 as has_own_id,
        count(*) over (partition by list, id, version) as line_count,
        to_json([line.description, line.classifications.itemId])::varchar as text_and_item,
        to_json([
            text_and_item,
            coalesce(amount_of(line.amount), amount_of(line.price) * coalesce(amount_of(line.quantity), 1))::varchar
        ])::varchar as amount_too,
        to_json([
            amount_too, line.classifications.chartOfAccountId, line.classifications.accountingClassId,
            line.classifications.departmentId, line.classifications.locationId,
            line.classifications.jobId, line.classifications.employeeId
        ])::varchar as all_facts
    from lines
),

counted as (
    select
        *,
        count(*) over (partition by list, id, version, text_and_item) = 1
        and (text_and_item <> '[null,null]' or line_count = 1) as is_only_text_and_item,
        count(*) over (partition by list, id, version, amount_too) = 1 as is_only_amount_too,
        row_number() over (partition by list, id, version, all_facts order by position) as ordinal
    from described
),

found_again as (
    select
        decided.decision_no, after.line_id
    from decided
    inner join counted as before on before.list = decided.list and before.id = decided.document_id
        and before.version = decided.version_seen and before.line_id = decided.line_id
    inner join counted as after on after.list = decided.list and after.id = decided.document_id
        and after.version = decided.version
    where decided.version_seen <> decided.version
        and case
            when before.has_own_id then after.has_own_id and after.bill_line_id = before.bill_line_id
            else (after.all_facts = before.all_facts and after.ordinal = before.ordinal)
                or (
                    after.amount_too = before.amount_too
                    and after.is_only_amount_too and before.is_only_amount_too
                )
                or (
                    after.text_and_item = before.text_and_item
                    and after.is_only_text_and_item and before.is_only_text_and_item
                )
        end
),

active as (
    select *, line_id as line_id_now
    from decided
    where version_seen = version
    union all
    select decided.*, found_again.line_id
    from decided
    inner join found_again using (decision_no)
)

select
    document_type,            -- bill, vendor_credit, invoice or credit_memo.
    document_id,              -- BILL's id of the document.
    line_id_now as line_id,   -- The line as it is called now; its id of then stands in the decision.
    account_id,               -- The account chosen; null: the line was split, or the decision withdrawn.
    parts,                    -- What the line was split into; null: it is whole.
    withdrawn,                -- Takes the decision before it back.
    reason,                   -- Why, in words.
    decided_at                -- When (UTC).
from active
qualify row_number() over (
    partition by document_type, document_id, line_id_now order by decided_at desc, decision_no desc
) = 1
