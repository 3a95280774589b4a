-- Cash paid to each flagged vendor in each calendar year, by box of Form 1099, against the year's threshold.
--
-- The day is the payment's own, also where the books took it up later; void payments are nothing. Card
-- payments are left out, because the card company reports them. A payment is of the boxes of the
-- accounts that its bills are coded to, in their proportion; without a box it is listed with none.
-- Vendors of one tax id, or merged and of no other tax id, are one: what any of them got is added up
-- when one of them is flagged.
-- What was paid before the books begin counts too: the form is of the calendar year.
-- What has no box may belong in any that the chart uses: where it could make a form due there, or
-- keep one from being due, nobody can say.
--
-- grain: one row per vendor, year, form and box
-- key: party_id, year, form, box
-- owner: team:accounting
-- macro: form_1099_totals_at(report_date, known_at)
with

payees as (
    select party_id, taxpayer_id
    from ledger.parties
    where taxpayer_id in (select taxpayer_id from ledger.parties where is_1099_vendor)
),

-- Their payments, and the bills these paid.
documents_in_question as (
    select unnest([document_id, open_item_id]) as document_id
    from (
        select document_type, document_id, party_id, open_item_id from ledger.journal_lines
        union all
        select document_type, document_id, party_id, open_item_id from ledger.lines_before_books
    )
    where document_type = 'payment' and party_id in (select party_id from payees)
),

lines_of_all_times as (
    select
        journal_lines.document_type, journal_lines.document_id, journal_lines.event, line_key,
        journal_lines.date, journal_lines.party_id, account_id, open_item_id, amount, journal_entries.document_date
    from ledger.journal_lines as journal_lines
    inner join ledger.journal_entries as journal_entries on journal_entries.entry_id = journal_lines.entry_id
    where journal_lines.document_id in (from documents_in_question)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
        -- What was open when the books begin was paid before, or is paid by an entry of its own.
        and journal_lines.event <> 'opened'
    union all by name
    select
        document_type, document_id, event, line_key, date, party_id, account_id, open_item_id, amount,
        document_date
    from ledger.lines_before_books
    where document_id in (from documents_in_question)
),

lines as (
    select
        lines.*, accounts.control, types.account_subtype, accounts.form_1099 as form,
        accounts.box_1099 as box
    from lines_of_all_times as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    inner join ledger.accounts_by_day as types
        on types.account_id = lines.account_id and lines.date between types.valid_from and types.valid_to
),

card_payments as (
    select documents.document_id
    from ledger.document_facts as documents
    where documents.document_type = 'payment' and documents.is_paid_by_card
    union
    select document_id
    from lines
    where document_type = 'payment' and line_key = 'cash' and account_subtype = 'Credit Card'
),

-- What left the bank, by the bill it paid; advances and exchange differences are of no bill. The day
-- is BILL's own: a day that moved within closed years left no entry.
paid as (
    select
        payees.taxpayer_id as party_id,
        year(coalesce(payments.document_date, lines.document_date)) as year,
        if(lines.control = 'payables', open_item_id, null) as bill_id, sum(lines.amount) as amount
    from lines
    inner join payees on payees.party_id = lines.party_id
    cross join ledger.books as books
    left join ledger.document_facts as payments
        on payments.document_type = lines.document_type and payments.document_id = lines.document_id
    where lines.document_type = 'payment' and line_key not in ('cash', 'fee')
        and coalesce(payments.document_date, lines.document_date)
        <= coalesce(getvariable('report_date'), books.known_until::date)
        and lines.document_id not in (select document_id from card_payments)
    group by all
    having sum(lines.amount) <> 0
),

bill_boxes as (
    select
        document_id as bill_id, form, box, sum(amount) as amount,
        sum(sum(amount)) over (
            partition by document_id order by form, box
            rows between unbounded preceding and current row
        ) as amount_so_far,
        sum(sum(amount)) over (partition by document_id) as amount_of_bill
    from lines
    where document_type = 'bill' and event = 'entered' and control is distinct from 'payables'
        and document_id in (select bill_id from paid)
    group by document_id, form, box
),

-- Split at the running totals of the boxes, so the parts add up to what was paid.
parts as (
    select
        paid.party_id, paid.year, bill_boxes.form, bill_boxes.box,
        if(
            coalesce(bill_boxes.amount_of_bill, 0) = 0,
            paid.amount,
            share_of(paid.amount, bill_boxes.amount, bill_boxes.amount_so_far, bill_boxes.amount_of_bill)
        ) as amount
    from paid
    left join bill_boxes on bill_boxes.bill_id = paid.bill_id and bill_boxes.amount_of_bill <> 0
),

totals as (
    select party_id, year, form, box, sum(amount) as amount
    from parts
    group by party_id, year, form, box
    having sum(amount) <> 0
),

-- The boxes that the chart uses, and none: 600 through payments of 2025, 2,000 from 2026; later
-- years are indexed by policy. Royalties, and payments in lieu of dividends, are due from 10.
boxes as (
    select
        used.form, used.box, years.year,
        case
            when used.form = '1099-MISC' and used.box in (2, 8) then 10
            else coalesce(books.form_1099_threshold, if(years.year <= 2025, 600, 2000))
        end as threshold
    from (
        select form_1099 as form, box_1099 as box from ledger.accounts where form_1099 is not null
        union
        select null, null
    ) as used
    cross join (select distinct year from totals) as years
    cross join ledger.books as books
),

-- What is in each box, and in it with all that has none.
bounds as (
    select
        payees.party_id, boxes.*,
        least(coalesce(totals.amount, 0), coalesce(totals.amount, 0) + payees.amount_without) as least_amount,
        greatest(coalesce(totals.amount, 0), coalesce(totals.amount, 0) + payees.amount_without) as greatest_amount,
        payees.amount_without
    from (
        select party_id, year, coalesce(sum(amount) filter (where form is null), 0) as amount_without
        from totals
        group by party_id, year
    ) as payees
    inner join boxes on boxes.year = payees.year and boxes.form is not null
    left join totals
        on totals.party_id = payees.party_id and totals.year = boxes.year
        and totals.form = boxes.form and totals.box is not distinct from boxes.box
),

-- What has no box is of no matter where no box could be due with it.
answers as (
    select
        party_id, year, form, box,
        case
            when least_amount >= threshold then true
            when greatest_amount < threshold then false
        end as is_reportable
    from bounds
    union all
    select
        party_id, year, null, null,
        if(
            bool_or(greatest_amount >= threshold and (amount_without > 0 or least_amount < threshold)),
            null, false
        )
    from bounds
    group by party_id, year
)

select
    totals.party_id,                                             -- BILL's id of the vendor that stands for all records of one taxpayer.
    parties.party,                                               -- Its name as BILL last reported it.
    totals.year,                                                 -- Calendar year of the payments.
    totals.form,                                                 -- 1099-MISC or 1099-NEC; null: BILL assigns the account to none.
    totals.box,                                                  -- Box of the form.
    totals.amount::decimal(18, 2) as amount,                     -- Cash paid, cards left out.
    boxes.threshold::decimal(18, 2) as threshold,                -- Of that year and box, or the client's policy.
    case
        -- Where BILL assigns no account at all, what was paid in total is the best there is.
        when answers.party_id is null then totals.amount >= boxes.threshold
        else answers.is_reportable
    end as is_reportable                                         -- A form is due; null: nobody can say before an account of the bills has a box in BILL.
from totals
inner join boxes
    on boxes.year = totals.year and boxes.form is not distinct from totals.form
    and boxes.box is not distinct from totals.box
inner join ledger.parties as parties on parties.party_id = totals.party_id
left join answers
    on answers.party_id = totals.party_id and answers.year = totals.year
    and answers.form is not distinct from totals.form and answers.box is not distinct from totals.box
