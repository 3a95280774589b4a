-- Vendor credit: debit accounts payable, credit each line's account.
--
-- A credit posts once, at its date; applying it moves open amounts only. A line coded to a control account goes
-- to suspense, because control accounts post only from documents.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

credits as (
    select * from staging.vendor_credits where is_booked
),

credit_lines as (
    select * from categorized.parts where document_type = 'vendor_credit' and is_booked
),

header_differences as (
    select
        credits.vendor_credit_id,
        credits.currency,
        credits.amount - coalesce(sum(credit_lines.amount), 0) as difference,
        count(distinct credit_lines.line_id) as line_count
    from credits
    left join credit_lines on credit_lines.document_id = credits.vendor_credit_id
    group by credits.vendor_credit_id, credits.amount, credits.currency
),

-- The credit side in order, with the difference between header and lines as its last line.
line_credits as (
    select
        document_id as vendor_credit_id,
        line_no,
        line_key,
        line_id as source_line_id,
        if(list_contains(roles.control_accounts, account_id), roles.suspense, account_id) as account_id,
        amount,
        class_id, department_id, location_id, job_id, category_source, description
    from credit_lines
    cross join ledger.role_accounts as roles
    union all
    select
        vendor_credit_id,
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

-- Foreign credits: each line takes its part of the running total, so the lines add up to the cent.
line_credits_home as (
    select
        line_credits.*,
        case
            when not credits.is_foreign then line_credits.amount
            when credits.amount = 0 then
                round(sum(line_credits.amount) over so_far, 2) - round(sum(line_credits.amount) over so_far - line_credits.amount, 2)
            else
                prorated(credits.amount_home, sum(line_credits.amount) over so_far, credits.amount)
                - prorated(credits.amount_home, sum(line_credits.amount) over so_far - line_credits.amount, credits.amount)
        end as amount_home
    from line_credits
    inner join credits using (vendor_credit_id)
    window so_far as (partition by line_credits.vendor_credit_id order by line_credits.line_no, line_credits.line_key)
),

postings as (
    select
        'vendor_credit' as document_type, vendor_credit_id as document_id, version, 'entered' as event, line_key,
        credit_date as date, credit_date as document_date, vendor_id as party_id, account_id,
        -line_credits_home.amount_home as amount, currency, -line_credits_home.amount as amount_currency,
        class_id, department_id, location_id, job_id, null as open_item_id, source_line_id,
        category_source, line_credits_home.description
    from line_credits_home
    inner join credits using (vendor_credit_id)
    union all by name
    select
        'vendor_credit' as document_type, vendor_credit_id as document_id, version, 'entered' as event,
        'payables' as line_key, credit_date as date, credit_date as document_date, vendor_id as party_id,
        roles.ap_control as account_id, amount_home as amount, currency,
        amount as amount_currency, vendor_credit_id as open_item_id, description
    from credits
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
