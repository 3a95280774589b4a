-- The same journal on a cash basis: bills and invoices count when they are settled, line by line.
--
-- A document's lines are taken up in step with the running total of its settlements, so their sum
-- is the settled amount to the cent at every date, and the whole document in the end. Sharing is
-- over the gross amount, tax included, unless the policy sales_tax_on_cash_basis says that the tax
-- comes last. Lines of documents not settled yet do not exist here. Everything is derived from
-- journal lines dated on or before the line, so no later entry changes it.
--
-- grain: one row per journal line outside documents, and one per document, day and line taken up
-- key: basis_line_id
-- owner: team:accounting
-- macro: cash_basis_lines_at(known_at)
with

lines as (
    select
        journal_lines.*,
        accounts.control in ('payables', 'receivables') as is_control,
        journal_lines.document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo', 'billing_statement')
        and journal_lines.event in ('entered', 'billed') as is_document,
        -- Ids are unique within a list only, so a document is named with its control account's side.
        case
            when journal_lines.document_type in ('invoice', 'credit_memo', 'received_payment')
                then 'receivables:'
            else 'payables:'
        end as side
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    where journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

-- What settled it, by day, as a change of its taken-up total.
settlements as (
    select
        side || open_item_id as item, date, any_value(account_id) as control_account_id,
        any_value(open_item_id) as open_item_id, sum(amount) as amount
    from lines
    where is_control and not is_document and open_item_id is not null
    group by item, date
),

-- What each document consists of, by day: its lines without the control account's.
document_lines as (
    select
        side || document_id as item, document_id as open_item_id, date, account_id, party_id, class_id,
        department_id, location_id, job_id, document_type, line_key = 'sales_tax' as is_tax,
        sum(amount) as amount
    from lines
    where is_document and not coalesce(is_control, false)
    group by all
),

-- Documents never settled and not worth zero have nothing to take up.
settled_document_lines as (
    select
        *,
        dense_rank() over (
            partition by item
            order by is_tax, account_id, party_id, class_id, department_id, location_id, job_id, document_type
        ) as part_no
    from document_lines
    where item in (select item from settlements)
),

changes as (
    select distinct item, date
    from (
        select item, date from settled_document_lines
        union all
        select item, date from settlements
    )
),

parts as (
    select
        item, part_no, any_value(open_item_id) as open_item_id, any_value(account_id) as account_id,
        any_value(party_id) as party_id, any_value(class_id) as class_id,
        any_value(department_id) as department_id, any_value(location_id) as location_id,
        any_value(job_id) as job_id, any_value(document_type) as document_type,
        any_value(is_tax) as is_tax
    from settled_document_lines
    group by item, part_no
),

-- The document as it stood on each day of a change, part by part.
parts_by_day as (
    select
        changes.date, parts.*,
        sum(coalesce(lines_of_day.amount, 0)) over (
            partition by changes.item, parts.part_no order by changes.date
        ) as amount
    from changes
    inner join parts using (item)
    left join settled_document_lines as lines_of_day
        on lines_of_day.item = changes.item
        and lines_of_day.date = changes.date
        and lines_of_day.part_no = parts.part_no
),

settled_by_day as (
    select
        changes.item, changes.date,
        sum(coalesce(settlements.amount, 0)) over (partition by changes.item order by changes.date) as settled
    from changes
    left join settlements on settlements.item = changes.item and settlements.date = changes.date
),

totals as (
    select *,
        sum(amount) over (partition by item, date) as total,
        coalesce(sum(amount) filter (where not is_tax) over (partition by item, date), 0) as net,
        sum(amount) over (partition by item, date order by part_no) as total_so_far
    from parts_by_day
),

-- Where the tax comes last, all that is settled is the lines' until they have their whole amount.
shares as (
    select
        totals.*,
        settled_by_day.settled,
        -- Null in books that were published before there was the choice.
        coalesce(books.sales_tax_on_cash_basis, 'shared') = 'last'
        -- What is overpaid, or not all of one sign, is shared over the gross amount.
        and sign(net) * sign(total - net) > 0 and settled * sign(total) between 0 and abs(total)
            as is_tax_last,
        sign(net) * least(abs(settled), abs(net)) as settled_net
    from totals
    inner join settled_by_day using (item, date)
    cross join ledger.books as books
),

-- The taken-up total is split at the running totals of the parts, so the split adds up exactly.
taken_up as (
    select
        *,
        case
            -- A document worth zero is taken up at once: there is nothing to wait for.
            when total = 0 then amount
            when not is_tax_last
                then prorated(settled, total_so_far, total) - prorated(settled, total_so_far - amount, total)
            when not is_tax
                then prorated(settled_net, total_so_far, net) - prorated(settled_net, total_so_far - amount, net)
            else
                prorated(settled - settled_net, total_so_far - net, total - net)
                - prorated(settled - settled_net, total_so_far - amount - net, total - net)
        end as taken_up
    from shares
),

taken_up_changes as (
    select
        *,
        taken_up - coalesce(lag(taken_up) over (partition by item, part_no order by date), 0) as change
    from taken_up
),

item_controls as (
    select item, max(control_account_id) as control_account_id, any_value(open_item_id) as open_item_id
    from settlements
    group by item
),

-- Settled although the document is gone: stays on the control account until BILL explains it.
remainders as (
    select
        settled_by_day.item, settled_by_day.date,
        settled_by_day.settled - coalesce(sum(taken_up.taken_up), 0) as remainder,
        item_controls.control_account_id, item_controls.open_item_id
    from settled_by_day
    inner join item_controls using (item)
    left join taken_up using (item, date)
    group by
        settled_by_day.item, settled_by_day.date, settled_by_day.settled,
        item_controls.control_account_id, item_controls.open_item_id
),

remainder_changes as (
    select
        *, remainder - coalesce(lag(remainder) over (partition by item order by date), 0) as change
    from remainders
),

-- Zero documents without a settlement count on their own day.
unsettled_zero_documents as (
    select item
    from document_lines
    where item not in (select item from settlements)
    group by item
    having sum(amount) = 0
),

basis_lines as (
    select
        line_id as basis_line_id, date, account_id, amount, party_id, class_id, department_id,
        location_id, job_id, document_type, document_id
    from lines
    -- An opening balance of a control account has no document to wait for.
    where not is_document and (not coalesce(is_control, false) or open_item_id is null)
    union all by name
    select
        item || ':' || date || ':' || part_no as basis_line_id, date, account_id,
        change as amount, party_id, class_id, department_id, location_id, job_id, document_type,
        open_item_id as document_id
    from taken_up_changes
    union all by name
    select
        item || ':' || date || ':remainder' as basis_line_id, date,
        control_account_id as account_id, change as amount, open_item_id as document_id
    from remainder_changes
    union all by name
    select
        line_id as basis_line_id, date, account_id, amount, party_id, class_id, department_id,
        location_id, job_id, document_type, document_id
    from lines
    where is_document and side || document_id in (select item from unsettled_zero_documents)
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
