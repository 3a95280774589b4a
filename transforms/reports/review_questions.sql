-- What a person is asked, grouped so that one answer settles many lines; the most useful first.
--
-- One answer is right for all lines of a question: lines of a party are asked about apart by
-- department, class, location, text and size of the amount, in this order, where one account for each
-- would have booked more of its earlier lines right than what comes before alone.
--
-- grain: one row per party, kind of document, suggestion, currency and what tells lines apart
-- key: question_id
-- owner: team:accounting
with

lines as (
    select
        transactions.* replace (coalesce(parties.merged_party, transactions.party) as party),
        coalesce(parties.merged_party_id, transactions.party_id) as asked_party_id,
        -- Without a vendor only lines of the same text are the same question.
        if(transactions.party_id is null, plain_text(transactions.description), null) as asked_text,
        concat_ws(chr(31), document_type, coalesce(asked_party_id, ''), coalesce(asked_text, '')) as about
    from ledger.transactions as transactions
    left join ledger.parties as parties using (party_id)
    where transactions.party_id is not null or needs_review
),

-- What may tell the lines of a party apart that is asked about; the rest of its lines with them.
facts as (
    select
        lines.*,
        [
            {'fact': 'department', 'value': coalesce(departments.dimension_name, department_id, '')},
            {'fact': 'class', 'value': coalesce(classes.dimension_name, class_id, '')},
            {'fact': 'location', 'value': coalesce(locations.dimension_name, location_id, '')},
            -- Numbers and days differ on every bill; what remains repeats.
            {'fact': 'text', 'value': coalesce(
                trim(regexp_replace(lower(strip_accents(description)), '[^\pL]+', ' ', 'g')), ''
            )},
            -- Two steps to each doubling.
            {'fact': 'amount', 'value': floor(2 * log2(1 + abs(amount)::double))::varchar}
        ] as facts
    from lines
    left join ledger.dimensions as departments on departments.dimension_id = lines.department_id
    left join ledger.dimensions as classes on classes.dimension_id = lines.class_id
    left join ledger.dimensions as locations on locations.dimension_id = lines.location_id
    where about in (select about from lines where needs_review)
),

-- The lines of a party by ever more facts: by none, by department, by department and class …; the
-- account is null where it is asked for.
counted as (
    select about, fact_count, told, account_id, count(*) as line_count
    from (
        select
            about, fact_count,
            array_to_string(
                list_transform(facts[:fact_count], lambda one: one.value), chr(31)
            ) as told,
            if(needs_review, null, account_id) as account_id
        from facts
        cross join (select unnest(range(6)) as fact_count)
    )
    group by about, fact_count, told, account_id
),

-- How many of the booked lines one account for each kind would have booked right.
told_right as (
    select
        about, fact_count,
        count(*) as kind_count,
        count(right_lines) as booked_kind_count,
        coalesce(sum(right_lines), 0) as right_lines
    from (
        select
            about, fact_count, told,
            max(line_count) filter (account_id is not null) as right_lines
        from counted
        group by about, fact_count, told
    )
    group by about, fact_count
),

deciding as (
    select about, list(fact) as deciding
    from (
        select
            about, fact_count, kind_count, booked_kind_count,
            ['department', 'class', 'location', 'text', 'amount'][fact_count] as fact,
            right_lines > lag(right_lines) over (partition by about order by fact_count) as tells_more
        from told_right
    )
    inner join (
        select about, count(account_id) as account_count from counted where fact_count = 0 group by about
    ) using (about)
    where tells_more
        -- Departments are apart until it is seen that they make no difference, as answers are.
        or fact = 'department' and kind_count > 1 and not (account_count = 1 and booked_kind_count > 1)
    group by about
),

asked as (
    select
        facts.*,
        list_filter(facts.facts, lambda one: list_contains(coalesce(deciding, []), one.fact)) as told_apart,
        if(category_source = 'default', alternatives ->> '$[0].account_id', account_id)
            as suggested_account_id,
        if(category_source = 'default', (alternatives ->> '$[0].confidence')::double, confidence)
            as suggested_confidence
    from facts
    left join deciding using (about)
    where needs_review
),

questions as (
    select
        about, asked_party_id, document_type, suggested_account_id, currency, told_apart,
        any_value(party) as party,
        count(*) as line_count,
        sum(abs(amount))::decimal(18, 3) as amount_asked,
        list_distinct([min(abs(amount)), max(abs(amount))]) as sizes,
        min(date) as first_date,
        max(date) as last_date,
        -- Of decimals, so that the order of the lines does not matter.
        (sum(coalesce(suggested_confidence, 0)::decimal(18, 6)) / count(*))::double as confidence,
        mode(reason order by reason) as reason,
        arg_max(description, (abs(amount), transaction_id)) as example,
        arg_max(alternatives, (date, transaction_id)) as alternatives,
        list(transaction_id order by date desc, transaction_id) as transaction_ids,
        list({
            'transaction_id': transaction_id, 'date': date, 'description': description,
            'amount': amount
        } order by abs(amount) desc, transaction_id) as lines
    from asked
    group by about, asked_party_id, document_type, suggested_account_id, currency, told_apart
),

-- As many lines as in the last year are expected in the next one.
yearly as (
    select
        coalesce(parties.merged_party_id, transactions.party_id) as asked_party_id,
        transactions.document_type, count(*) as line_count
    from ledger.transactions as transactions
    left join ledger.parties as parties using (party_id)
    where transactions.date > getvariable('as_of')::date - 365
    group by all
),

booked as (
    select
        coalesce(parties.merged_party_id, transactions.party_id) as asked_party_id,
        transactions.account_id, any_value(transactions.account_name) as account_name,
        count(*) as line_count
    from ledger.transactions as transactions
    inner join ledger.parties as parties using (party_id)
    where not transactions.needs_review
    group by all
),

before as (
    select
        asked_party_id,
        (list({'account_id': account_id, 'account_name': account_name, 'line_count': line_count}
            order by line_count desc, account_id))[:3] as booked_before
    from booked
    group by asked_party_id
)

select
    left(md5(concat_ws(
        chr(31), about, coalesce(suggested_account_id, ''), coalesce(questions.currency, ''), told_apart::json
    )), 12) as question_id,                        -- Stays the same as long as the question does.
    questions.asked_party_id as party_id,          -- Vendor or customer, one id for all its spellings.
    questions.party,                               -- Its name.
    questions.document_type,                       -- bill, vendor_credit, invoice or credit_memo.
    questions.line_count,                          -- Lines that one answer settles.
    round(
        questions.line_count
        + (1 - questions.confidence) * coalesce(yearly.line_count, 0)
        * questions.line_count / sum(questions.line_count) over (partition by about), 1
    )::double as rows_saved,                       -- Those, and lines of a year that would otherwise be asked about or wrong.
    questions.amount_asked,                        -- Sum of the lines, without signs.
    questions.currency,                            -- Currency of the amount.
    questions.first_date,                          -- Day of the oldest line.
    questions.last_date,                           -- Day of the newest line.
    suggested_account_id,                          -- What the model would choose; null: it has no idea.
    accounts.account_code as suggested_account_code,  -- Its number, if it has one.
    accounts.account_name as suggested_account,    -- Its name.
    questions.confidence,                          -- Mean probability in 0–1 that it is right.
    nullif(array_to_string(list_transform(told_apart, lambda one: case
        when one.fact = 'amount' then 'amounts of ' || array_to_string(list_transform(
            list_sort(sizes), lambda size: if(
                decimals_of(questions.currency) = 3, size::varchar, size::decimal(18, 2)::varchar
            )
        ), ' to ')
        when one.value = '' then 'no ' || one.fact
        else one.fact || ' “' || one.value || '”'
    end), ', '), '') as told_apart_by,             -- What tells these lines from others of the party, judging by earlier ones; null: nothing does.
    questions.reason,                              -- Why it is suggested, and why a person is asked.
    questions.example,                             -- Text of the largest line.
    questions.alternatives,                        -- The best accounts, as JSON; the suggestion first.
    questions.transaction_ids,                     -- The lines, newest first.
    questions.lines,                               -- The same with day, text and amount, the largest first.
    before.booked_before                           -- Where most of this party's other lines are, at most three accounts.
from questions
left join yearly on yearly.asked_party_id = questions.asked_party_id
    and yearly.document_type = questions.document_type
left join before on before.asked_party_id = questions.asked_party_id
left join ledger.accounts as accounts on accounts.account_id = questions.suggested_account_id
