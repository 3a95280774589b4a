-- Bill: debit each line's account, credit accounts payable.
--
-- A bill that belongs in the books posts once, at its date; a line coded to a control account goes
-- to suspense, because control accounts post only from documents.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

bills as (
    select * from staging.bills where is_booked
),

bill_lines as (
    select * from categorized.parts where document_type = 'bill' and is_booked
),

header_differences as (
    select
        bills.bill_id,
        bills.currency,
        bills.amount - coalesce(sum(bill_lines.amount), 0) as difference,
        count(distinct bill_lines.line_id) as line_count
    from bills
    left join bill_lines on bill_lines.document_id = bills.bill_id
    group by bills.bill_id, bills.amount, bills.currency
),

-- The debit side in order, with the difference between header and lines as its last line.
debits as (
    select
        document_id as bill_id,
        line_no,
        line_key,
        line_id as source_line_id,
        if(list_contains(roles.control_accounts, account_id), roles.suspense, account_id) as account_id,
        amount,
        class_id, department_id, location_id, job_id, category_source, description
    from bill_lines
    cross join ledger.role_accounts as roles
    union all
    select
        bill_id,
        1000000,
        'difference',
        null,
        -- A cent a line is rounding, or what its currency has for cents; more is never plugged silently.
        if(abs(difference) <= smallest_unit(currency) * line_count, roles.rounding, roles.suspense),
        difference,
        null, null, null, null, null,
        'header differs from lines'
    from header_differences
    cross join ledger.role_accounts as roles
    where difference <> 0
),

-- Foreign bills: each line takes its part of the running total, so the lines add up to the cent.
debits_home as (
    select
        debits.*,
        case
            when not bills.is_foreign then debits.amount
            when bills.amount = 0 then
                round(sum(debits.amount) over so_far, 2) - round(sum(debits.amount) over so_far - debits.amount, 2)
            else
                prorated(bills.amount_home, sum(debits.amount) over so_far, bills.amount)
                - prorated(bills.amount_home, sum(debits.amount) over so_far - debits.amount, bills.amount)
        end as amount_home
    from debits
    inner join bills using (bill_id)
    window so_far as (partition by debits.bill_id order by debits.line_no, debits.line_key)
),

postings as (
    select
        'bill' as document_type, bill_id as document_id, version, 'entered' as event, line_key,
        bill_date as date, document_date, vendor_id as party_id, account_id,
        debits_home.amount_home as amount, currency, debits_home.amount as amount_currency,
        class_id, department_id, location_id, job_id, null as open_item_id, source_line_id,
        category_source, debits_home.description
    from debits_home
    inner join bills using (bill_id)
    union all by name
    select
        'bill' as document_type, bill_id as document_id, version, 'entered' as event,
        'payables' as line_key, bill_date as date, document_date, vendor_id as party_id,
        roles.ap_control as account_id, -amount_home as amount, currency,
        -amount as amount_currency, bill_id as open_item_id, description
    from bills
    cross join ledger.role_accounts as roles
)

select
    document_type,                        -- Kind of BILL document.
    document_id,                          -- BILL's id of the document.
    version,                              -- Version of the document in the archive.
    event,                                -- What happened to it; one entry per event.
    line_key,                             -- Tells the entry's lines apart; the line's id where it has one.
    date,                                 -- Day it counts for.
    document_date,                        -- Day BILL shows.
    party_id,                             -- Vendor or customer.
    account_id,                           -- Account debited (+) or credited (-).
    amount::decimal(18, 2) as amount,     -- Home currency, debit positive.
    currency,                             -- Currency of the document.
    amount_currency::decimal(18, 3) as amount_currency,  -- The same in the document's currency.
    class_id,                             -- Accounting class.
    department_id,                        -- Department.
    location_id,                          -- Location.
    job_id,                               -- Job.
    open_item_id,                         -- Document that this opens or settles, on control and clearing accounts.
    source_line_id,                       -- BILL's line it came from, if any.
    category_source,                      -- Who chose the account: bill, person, rule, model, default; null for a role.
    description                           -- Text for people.
from postings
where amount <> 0 or amount_currency <> 0
