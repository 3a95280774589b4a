-- The same journal on a cash basis: bills and invoices count when they are paid, line by line.
--
-- A document's lines are taken up in step with the running total of the cash that pays it, up to
-- the whole document and no further: the rest of what was paid stays on the control account, an
-- advance. Credits are no cash: a bill of 100 with a credit of 30 counts by 50, and the credit by
-- 15, when half of the 70 is paid. A write-off counts for nothing. What was paid before the
-- document's own day counts on the day of the payment, or on the first open day where that day was
-- closed when the journal learnt it. Sharing is over the gross amount, tax included, unless the
-- policy sales_tax_on_cash_basis says that the tax comes last. Lines of documents not paid yet do
-- not exist here. A document that was open when the books begin consists, in its rest, of its lines
-- of before. The balance that was brought in has such a line already, so it is taken out of there and
-- counts once, when it is paid. What was paid in advance before that day counts on the first day after
-- it.
--
-- grain: one row per journal line outside documents, and one per document, day and line taken up or out
-- key: basis_line_id
-- owner: team:accounting
-- follows: document_id
-- columns: ledger.postings_in_full
-- macro: cash_basis_lines_at(known_at)
with

-- The lowest lock there has been since each close: what had to count on a first open day moves to
-- its own day when that is opened again, and a later close moves nothing.
locks as (
    select
        decided_at,
        min(closed_through) over (
            order by closing_no rows between current row and unbounded following
        ) as closed_through
    from ledger.closings
    where decided_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    qualify row_number() over (partition by decided_at order by closing_no desc) = 1
),

journal as (
    select
        journal_lines.*,
        accounts.control in ('payables', 'receivables') as is_control,
        journal_lines.document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo', 'billing_statement')
        and journal_lines.event in ('entered', 'billed', 'opened') as is_document,
        -- Entries without cash that tie a payment or a credit to what it settles.
        journal_lines.event like 'advance%' or journal_lines.event like 'applied:%' as is_application,
        -- Ids are unique within a list only, so a document is named with its control account's side.
        if(
            journal_lines.document_type in ('invoice', 'credit_memo', 'received_payment'), 'receivables:', 'payables:'
        ) as side,
        journal_entries.document_date,
        greatest(locks.closed_through + 1, books.books_begin_on + 1, date '0001-01-01') as first_open_day
    from ledger.journal_lines as journal_lines
    inner join ledger.journal_entries as journal_entries on journal_entries.entry_id = journal_lines.entry_id
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    cross join ledger.books as books
    asof left join locks on journal_lines.posted_at >= locks.decided_at
    where journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
        -- Neither what was given up nor the loss was ever cash.
        and not (journal_lines.document_type = 'invoice' and journal_lines.event = 'write_off')
),

-- An application counts on the day of the payment or credit, whatever the day of what it settles.
settling_lines as (
    select
        * replace (
            if(is_application, least(date, greatest(document_date, first_open_day)), date) as date
        ),
        if(is_application, least(date, document_date), date) as original_date,
        is_application and document_type in ('vendor_credit', 'credit_memo') as is_credit
    from journal
    where not is_document
),

cash_by_day as (
    select
        side || open_item_id as item, date, any_value(open_item_id) as open_item_id,
        max(account_id) as control_account_id, sum(amount) as cash, min(original_date) as original_date
    from settling_lines
    where is_control and not is_credit and open_item_id is not null
    group by item, date
),

applications_by_day as (
    select
        document_type, document_id, event, date, side || document_id as credit_item,
        max(side || open_item_id) filter (where line_key = 'settled') as item,
        coalesce(sum(amount) filter (where line_key = 'settled'), 0) as credited,
        coalesce(sum(amount) filter (where line_key = 'credit'), 0) as used,
        max(account_id) filter (where line_key = 'exchange') as exchange_account_id,
        max(account_id) filter (where line_key = 'credit') as control_account_id,
        min(original_date) as original_date
    from settling_lines
    where is_credit
    group by document_type, document_id, event, date, side
),

-- A difference to a closed application may have some of its lines only.
applications as (
    select
        document_type, document_id, event, credit_item, max(item) as item,
        max(exchange_account_id) as exchange_account_id, max(control_account_id) as control_account_id
    from applications_by_day
    group by document_type, document_id, event, credit_item
),

first_days as (
    select item, min(date) as first_day
    from (
        select item, date from cash_by_day
        union all
        select credit_item, date from applications_by_day
    )
    group by item
),

-- What each document consists of, by day: its lines without the control account's. A document that
-- was paid before its day is there on the day of the payment.
document_lines as (
    select
        journal.side || journal.document_id as item, journal.document_id as open_item_id,
        least(journal.date, greatest(coalesce(first_days.first_day, journal.date), journal.first_open_day)) as date,
        min(least(journal.date, coalesce(first_days.first_day, journal.date))) as original_date,
        journal.account_id, journal.party_id, journal.class_id, journal.department_id,
        journal.location_id, journal.job_id, journal.document_type,
        journal.line_key = 'sales_tax' as is_tax, sum(journal.amount) as amount
    from journal
    left join first_days on first_days.item = journal.side || journal.document_id
    where journal.is_document and journal.event <> 'opened' and not coalesce(journal.is_control, false)
    group by all
    union all by name
    select
        if(document_type in ('invoice', 'credit_memo'), 'receivables:', 'payables:') || document_id as item,
        document_id as open_item_id, date, date as original_date, account_id, party_id, class_id,
        department_id, location_id, job_id, document_type, is_tax, sum(amount) as amount
    from ledger.opened_lines
    group by all
),

-- Every day on which a document, its cash or its credits changed, with the running totals.
paid_by_day as (
    select
        item, date, min(original_date) as original_date,
        sum(sum(total)) over so_far as total, sum(sum(cash)) over so_far as cash,
        sum(sum(credited)) over so_far as credited
    from (
        select item, date, original_date, amount as total, 0 as cash, 0 as credited from document_lines
        union all
        select item, date, original_date, 0, cash, 0 from cash_by_day
        union all
        select applications.item, by_day.date, by_day.original_date, 0, 0, by_day.credited
        from applications_by_day as by_day
        inner join applications using (document_type, document_id, event)
    )
    where item in (select item from cash_by_day)
    group by item, date
    window so_far as (partition by item order by date)
),

-- What credits leave to be paid in cash; all amounts turned so that the document is positive.
cash_counted_by_day as (
    select
        *, sign(total) as direction,
        abs(total) - least(greatest(direction * credited, 0), abs(total)) as to_pay,
        direction * cash > 0 and direction * cash >= to_pay as is_whole,
        direction * least(greatest(direction * cash, 0), to_pay) as cash_counted
    from paid_by_day
),

-- A credit counts in step with the cash of what it settles.
credits_taken_up as (
    select
        applications.*, days.date, least(days.original_date, by_day.original_date) as original_date,
        sum(coalesce(by_day.credited, 0)) over so_far as credited,
        sum(coalesce(by_day.used, 0)) over so_far as used,
        days.is_whole, days.cash_counted, days.direction * days.to_pay as to_pay
    from cash_counted_by_day as days
    inner join applications using (item)
    left join applications_by_day as by_day using (document_type, document_id, event, date)
    window so_far as (partition by document_type, document_id, event order by days.date)
),

credit_shares as (
    select
        * exclude (credited, used),
        if(is_whole, credited, prorated(credited, cash_counted, to_pay)) as credited,
        if(is_whole, used, prorated(used, cash_counted, to_pay)) as used
    from credits_taken_up
),

credit_changes as (
    select
        *,
        credited - coalesce(lag(credited) over by_application, 0) as change_credited,
        used - coalesce(lag(used) over by_application, 0) as change_used
    from credit_shares
    window by_application as (partition by document_type, document_id, event order by date)
),

-- A credit's share is of as many documents as it was used for.
credits_by_day as (
    select
        item, date, min(original_date) as original_date, sum(sum(total)) over so_far as total,
        sum(sum(used)) over so_far as used
    from (
        select item, date, original_date, amount as total, 0 as used from document_lines
        union all
        select credit_item, date, original_date, 0, change_used from credit_changes
    )
    where item in (select credit_item from credit_changes where change_used <> 0)
    group by item, date
    window so_far as (partition by item order by date)
),

-- What is to be taken up of each document, by day, before it is held to the document's amount.
claims_by_day as (
    select
        days.item, days.date, days.original_date, days.total,
        days.cash_counted + coalesce(credits.credited, 0) as claimed, days.cash_counted,
        days.cash + coalesce(credits.credited, 0) as settled
    from cash_counted_by_day as days
    left join (
        select item, date, sum(credited) as credited from credit_shares group by item, date
    ) as credits using (item, date)
    union all
    select item, date, original_date, total, used, 0, used
    from credits_by_day
),

taken_by_day as (
    select
        *, sign(total) * least(greatest(sign(total) * claimed, 0), abs(total)) as taken
    from claims_by_day
),

taken_document_lines as (
    select
        *,
        dense_rank() over (
            partition by item
            order by is_tax, account_id, party_id, class_id, department_id, location_id, job_id, document_type
        ) as part_no
    from document_lines
    where item in (select item from taken_by_day)
),

parts as (
    select distinct
        item, part_no, open_item_id, account_id, party_id, class_id, department_id, location_id, job_id,
        document_type, is_tax
    from taken_document_lines
),

-- The document as it stood on each day of a change, part by part.
parts_by_day as (
    select
        taken_by_day.date, taken_by_day.original_date, taken_by_day.total, taken_by_day.taken,
        taken_by_day.claimed, taken_by_day.cash_counted, parts.*,
        sum(coalesce(lines_of_day.amount, 0)) over (
            partition by taken_by_day.item, parts.part_no order by taken_by_day.date
        ) as amount
    from taken_by_day
    inner join parts using (item)
    left join taken_document_lines as lines_of_day using (item, date, part_no)
),

totals as (
    select *,
        coalesce(sum(amount) filter (where not is_tax) over (partition by item, date), 0) as net,
        sum(amount) over (partition by item, date order by part_no) as total_so_far
    from parts_by_day
),

-- Where the tax comes last, all that is taken up is the lines' until they have their whole amount.
shares as (
    select
        totals.*,
        -- Null in books that were published before there was the choice.
        coalesce(books.sales_tax_on_cash_basis, 'shared') = 'last'
        -- What is not all of one sign is shared over the gross amount.
        and sign(net) * sign(total - net) > 0 as is_tax_last,
        sign(net) * least(abs(taken), abs(net)) as taken_net
    from totals
    cross join ledger.books as books
),

-- The taken-up total is split at the running totals of the parts, so the split adds up exactly.
taken_up as (
    select
        *,
        case
            -- A document worth zero is taken up at once: there is nothing to wait for.
            when total = 0 then amount
            when not is_tax_last then share_of(taken, amount, total_so_far, total)
            when not is_tax then share_of(taken_net, amount, total_so_far, net)
            else share_of(taken - taken_net, amount, total_so_far - net, total - net)
        end as taken_up
    from shares
),

taken_up_changes as (
    select
        *,
        taken_up - coalesce(lag(taken_up) over by_part, 0) as change,
        in_cash - coalesce(lag(in_cash) over by_part, 0) as change_in_cash
    from (
        -- The rest of what is taken up was settled by credits.
        select *, if(total = 0, taken_up, prorated(taken_up, cash_counted, claimed)) as in_cash
        from taken_up
    )
    window by_part as (partition by item, part_no order by date)
),

item_controls as (
    select item, max(control_account_id) as control_account_id, any_value(open_item_id) as open_item_id
    from (
        select item, control_account_id, open_item_id from cash_by_day
        union all
        select credit_item, control_account_id, document_id from applications
    )
    group by item
),

-- Paid beyond the document, or although the document is gone: an advance on the control account.
remainder_changes as (
    select
        taken_by_day.*, item_controls.control_account_id, item_controls.open_item_id,
        settled - taken - coalesce(lag(settled - taken) over (partition by item order by date), 0) as change
    from taken_by_day
    inner join item_controls using (item)
),

-- Zero documents without a settlement count on their own day.
unsettled_zero_documents as (
    select item
    from document_lines
    where item not in (select item from taken_by_day)
    group by item
    having sum(amount) = 0
),

basis_lines as (
    select
        line_id as basis_line_id, date, original_date, account_id, amount, party_id, class_id,
        department_id, location_id, job_id,
        if(event = 'opened', 'opening_balance', document_type) as document_type, document_id
    from settling_lines
    where not is_credit and document_type <> 'reclassification'
        -- An opening balance of a control account has no document to wait for.
        and (not coalesce(is_control, false) or open_item_id is null)
    union all by name
    select
        basis_line_id, date, date as original_date, account_id, type_date, amount,
        'reclassification' as document_type, document_id
    from ledger.reclassified_cash
    union all by name
    select
        line_id as basis_line_id, date, date as original_date, account_id, -amount as amount, party_id,
        class_id, department_id, location_id, job_id, 'opening_balance' as document_type, document_id
    from ledger.opening_balances_unpaid
    union all by name
    select
        line_id || ':equity' as basis_line_id, date, date as original_date,
        equity_account_id as account_id, amount, 'opening_balance' as document_type, document_id
    from ledger.opening_balances_unpaid
    union all by name
    select
        item || ':' || date || ':' || part_no as basis_line_id, date, original_date, account_id,
        change as amount, change_in_cash as amount_in_cash, party_id, class_id, department_id,
        location_id, job_id, document_type, open_item_id as document_id
    from taken_up_changes
    union all by name
    select
        item || ':' || date || ':remainder' as basis_line_id, date, original_date,
        control_account_id as account_id, change as amount, open_item_id as document_id
    from remainder_changes
    union all by name
    select
        credit_item || ':' || event || ':' || date || ':exchange' as basis_line_id, date, original_date,
        exchange_account_id as account_id, -change_credited - change_used as amount, 0 as amount_in_cash,
        document_type, document_id
    from credit_changes
    union all by name
    select
        line_id as basis_line_id, date, date as original_date, account_id, amount, party_id,
        class_id, department_id, location_id, job_id, document_type, document_id
    from journal
    where is_document and event <> 'opened'
        and side || document_id in (select item from unsettled_zero_documents)
)

select
    basis_line_id,                           -- The journal line, or document, day and part.
    date,                                    -- Day it counts for on a cash basis.
    original_date,                           -- Day of the cash; earlier than the date where that day was closed.
    account_id,
    amount::decimal(18, 2) as amount,        -- Home currency, debit positive.
    coalesce(amount_in_cash, amount)::decimal(18, 2) as amount_in_cash,  -- Of the amount, what cash paid; credits settled the rest.
    party_id, class_id, department_id, location_id, job_id, document_type, document_id,
    type_date::date as type_date             -- Day whose type of the account counts, where it is not the line's.
from basis_lines
where amount <> 0 or amount_in_cash <> 0
