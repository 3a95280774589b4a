-- What was posted before the books begin, were it in them, as each sync found it: what changed is added, nothing is overwritten.
--
-- A line that is none any more is added once again, as gone. What there was when this was first kept
-- is known since the sync that brought the document's version, or since the books begin where they do.
--
-- grain: one row per line and change of it
-- key: document_type, document_id, event, line_key, change_no
-- owner: team:accounting
-- follows: document_id
-- whole: ledger.lines_before_books_history, decisions.batches, decisions.policies
-- columns: ledger.postings_in_full
-- materialize: append
-- history: ledger.lines_before_books_history
with

lines as (
    select
        document_type, document_id, version, event, line_key, date, document_date, party_id, account_id,
        amount, currency, amount_currency, class_id, department_id, location_id, job_id, open_item_id,
        source_line_id, category_source, description
    from ledger.postings_in_full
    where document_type not in ('opening_balance', 'derived_transfer')
        and date <= (select books_begin_on from staging.policies)
),

before as (
    select *
    from ledger.lines_before_books_history
    qualify row_number() over (
        partition by document_type, document_id, event, line_key order by change_no desc
    ) = 1
),

-- The first build under these rules, or the first one after the day was said.
begun as (
    select min(batches.as_of) as known_from
    from decisions.batches as batches
    where batches.as_of >= (
        select max(decided_at) from decisions.policies
        where name = 'books_begin_on' and decided_at <= getvariable('as_of')
    )
),

first_known as (
    select
        document_type_of(list) as document_type, id as document_id, version,
        greatest(seen_at, coalesce((select known_from from begun), getvariable('as_of'))) as known_from
    from staging.versions_known
),

changes as (
    select
        lines.*, coalesce(before.change_no, 0) + 1 as change_no, false as is_gone,
        if(
            (select count(*) from before) = 0,
            coalesce(first_known.known_from, getvariable('as_of')), getvariable('as_of')
        ) as known_from
    from lines
    left join before
        on before.document_type = lines.document_type and before.document_id = lines.document_id
        and before.event = lines.event and before.line_key = lines.line_key
    left join first_known
        on first_known.document_type = lines.document_type and first_known.document_id = lines.document_id
        and first_known.version = lines.version
    where before.change_no is null or before.is_gone
        or (
            lines.date, lines.document_date, lines.party_id, lines.account_id, lines.amount, lines.currency,
            lines.amount_currency, lines.class_id, lines.department_id, lines.location_id, lines.job_id,
            lines.open_item_id, lines.description
        ) is distinct from (
            before.date, before.document_date, before.party_id, before.account_id, before.amount,
            before.currency, before.amount_currency, before.class_id, before.department_id,
            before.location_id, before.job_id, before.open_item_id, before.description
        )
    union all by name
    select
        before.* replace (
            before.change_no + 1 as change_no, true as is_gone, getvariable('as_of') as known_from
        )
    from before
    anti join lines using (document_type, document_id, event, line_key)
    where not before.is_gone
)

select
    document_type, document_id, version, event, line_key, date, document_date, party_id, account_id, amount,
    currency, amount_currency, class_id, department_id, location_id, job_id, open_item_id, source_line_id,
    category_source, description,
    change_no::integer as change_no,      -- 1, 2, 3 … in the order in which they became known.
    is_gone,                              -- It is no line any more.
    known_from                            -- The sync since which it is so (UTC).
from changes
-- A replay builds an earlier moment once more, which taught nothing.
where getvariable('as_of') >= coalesce(
    (select max(known_from) from ledger.lines_before_books_history), timestamp '0001-01-01'
)
