-- The same journal on a cash basis: bills and invoices count when they are settled, line by line.
--
-- A document's lines are taken up in step with the running total of its settlements, so their sum
-- is the settled amount to the cent at every date, and the whole document in the end. Sharing is
-- over the gross amount, tax included. Lines of documents not settled yet do not exist here.
-- Everything is derived from journal lines dated on or before the line, so no later entry changes it.
--
-- grain: one row per journal line outside documents, and one per document, day and line taken up
-- key: basis_line_id
-- owner: team:accounting
with

lines as (
    select
        journal_lines.*,
        accounts.control in ('payables', 'receivables') as is_control,
        journal_lines.document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo', 'billing_statement')
        and journal_lines.event in ('entered', 'billed') as is_document
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
),

-- What each document consists of, by day: its lines without the control account's.
document_lines as (
    select
        document_id as open_item_id, date, account_id, party_id, class_id, department_id, location_id,
        job_id, document_type, sum(amount) as amount
    from lines
    where is_document and not coalesce(is_control, false)
    group by all
),

-- What settled it, by day, as a change of its taken-up total.
settlements as (
    select
        open_item_id, date, any_value(account_id) as control_account_id, sum(amount) as amount
    from lines
    where is_control and not is_document and open_item_id is not null
    group by open_item_id, date
),

-- Documents never settled and not worth zero have nothing to take up.
changes as (
    select distinct open_item_id, date
    from (
        select open_item_id, date from document_lines
        union all
        select open_item_id, date from settlements
    )
    where open_item_id in (select open_item_id from settlements)
),

parts as (
    select
        *,
        row_number() over (
            partition by open_item_id
            order by account_id, party_id, class_id, department_id, location_id, job_id
        ) as part_no
    from (
        select distinct
            open_item_id, account_id, party_id, class_id, department_id, location_id, job_id, document_type
        from document_lines
        where open_item_id in (select open_item_id from settlements)
    )
),

-- The document as it stood on each day of a change, part by part.
parts_by_day as (
    select
        changes.open_item_id, changes.date, parts.* exclude (open_item_id),
        coalesce(sum(document_lines.amount), 0) as amount
    from changes
    inner join parts using (open_item_id)
    left join document_lines
        on document_lines.open_item_id = parts.open_item_id
        and document_lines.date <= changes.date
        and document_lines.account_id = parts.account_id
        and document_lines.party_id is not distinct from parts.party_id
        and document_lines.class_id is not distinct from parts.class_id
        and document_lines.department_id is not distinct from parts.department_id
        and document_lines.location_id is not distinct from parts.location_id
        and document_lines.job_id is not distinct from parts.job_id
    group by all
),

settled_by_day as (
    select
        changes.open_item_id, changes.date, coalesce(sum(settlements.amount), 0) as settled
    from changes
    left join settlements
        on settlements.open_item_id = changes.open_item_id and settlements.date <= changes.date
    group by changes.open_item_id, changes.date
),

totals as (
    select *,
        sum(amount) over (partition by open_item_id, date) as total,
        sum(amount) over (partition by open_item_id, date order by part_no) as total_so_far
    from parts_by_day
),

-- The taken-up total is split at the running totals of the parts, so the split adds up exactly.
taken_up as (
    select
        totals.*,
        settled_by_day.settled,
        -- A document worth zero is taken up at once: there is nothing to wait for.
        if(
            total = 0,
            totals.amount,
            prorated(settled, total_so_far, total) - prorated(settled, total_so_far - totals.amount, total)
        ) as taken_up
    from totals
    inner join settled_by_day using (open_item_id, date)
),

taken_up_changes as (
    select
        *,
        taken_up - coalesce(lag(taken_up) over (partition by open_item_id, part_no order by date), 0) as change
    from taken_up
),

item_controls as (
    select open_item_id, max(control_account_id) as control_account_id
    from settlements
    group by open_item_id
),

-- Settled although the document is gone: stays on the control account until BILL explains it.
remainders as (
    select
        settled_by_day.open_item_id, settled_by_day.date,
        settled_by_day.settled - coalesce(sum(taken_up.taken_up), 0) as remainder,
        item_controls.control_account_id
    from settled_by_day
    inner join item_controls using (open_item_id)
    left join taken_up using (open_item_id, date)
    group by
        settled_by_day.open_item_id, settled_by_day.date, settled_by_day.settled,
        item_controls.control_account_id
),

remainder_changes as (
    select
        *, remainder - coalesce(lag(remainder) over (partition by open_item_id order by date), 0) as change
    from remainders
),

-- Zero documents without a settlement count on their own day.
unsettled_zero_documents as (
    select open_item_id
    from document_lines
    where open_item_id not in (select open_item_id from settlements)
    group by open_item_id
    having sum(amount) = 0
),

basis_lines as (
    select
        line_id as basis_line_id, date, account_id, amount, party_id, class_id, department_id,
        location_id, job_id, document_type, document_id
    from lines
    where not is_document and not coalesce(is_control, false)
    union all by name
    select
        open_item_id || ':' || date || ':' || part_no as basis_line_id, date, account_id,
        change as amount, party_id, class_id, department_id, location_id, job_id, document_type,
        open_item_id as document_id
    from taken_up_changes
    union all by name
    select
        open_item_id || ':' || date || ':remainder' as basis_line_id, date,
        control_account_id as account_id, change as amount, open_item_id as document_id
    from remainder_changes
    union all by name
    select
        line_id as basis_line_id, date, account_id, amount, party_id, class_id, department_id,
        location_id, job_id, document_type, document_id
    from lines
    where is_document and document_id in (select open_item_id from unsettled_zero_documents)
)

select
    basis_line_id,                           -- The journal line, or document, day and part.
    date,                                    -- Day it counts for on a cash basis.
    account_id,                              -- Account debited (+) or credited (-).
    amount::decimal(18, 2) as amount,        -- Home currency, debit positive.
    party_id,                                -- Vendor or customer.
    class_id,                                -- Accounting class.
    department_id,                           -- Department.
    location_id,                             -- Location.
    job_id,                                  -- Job.
    document_type,                           -- Kind of BILL document.
    document_id                              -- BILL's id of the document.
from basis_lines
where amount <> 0
