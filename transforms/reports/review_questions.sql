-- What a person is asked, grouped so that one answer settles many lines; the most useful first.
--
-- grain: one row per party, kind of document, suggestion and currency
-- key: question_id
-- owner: team:accounting
with

asked as (
    select
        transactions.* replace (coalesce(parties.merged_party, transactions.party) as party),
        coalesce(parties.merged_party_id, transactions.party_id) as asked_party_id,
        -- Without a vendor only lines of the same text are the same question.
        if(transactions.party_id is null, plain_text(transactions.description), null) as asked_text,
        if(category_source = 'default', alternatives ->> '$[0].account_id', account_id)
            as suggested_account_id,
        if(category_source = 'default', (alternatives ->> '$[0].confidence')::double, confidence)
            as suggested_confidence
    from ledger.transactions as transactions
    left join ledger.parties as parties using (party_id)
    where transactions.needs_review
),

questions as (
    select
        asked_party_id, document_type, asked_text, suggested_account_id, currency,
        any_value(party) as party,
        count(*) as line_count,
        sum(abs(amount))::decimal(18, 3) as amount_asked,
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
    group by asked_party_id, document_type, asked_text, suggested_account_id, currency
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
        chr(31), coalesce(questions.asked_party_id, ''), questions.document_type, coalesce(asked_text, ''),
        coalesce(suggested_account_id, ''), coalesce(questions.currency, '')
    )), 12) as question_id,                        -- Stays the same as long as the question does.
    questions.asked_party_id as party_id,          -- Vendor or customer, one id for all its spellings.
    questions.party,                               -- Its name.
    questions.document_type,                       -- bill, vendor_credit, invoice or credit_memo.
    questions.line_count,                          -- Lines that one answer settles.
    round(
        questions.line_count
        + (1 - questions.confidence) * coalesce(yearly.line_count, 0), 1
    )::double as rows_saved,                       -- Those, and lines of a year that would otherwise be asked about or wrong.
    questions.amount_asked,                        -- Sum of the lines, without signs.
    questions.currency,                            -- Currency of the amount.
    questions.first_date,                          -- Day of the oldest line.
    questions.last_date,                           -- Day of the newest line.
    suggested_account_id,                          -- What the model would choose; null: it has no idea.
    accounts.account_code as suggested_account_code,  -- Its number, if it has one.
    accounts.account_name as suggested_account,    -- Its name.
    questions.confidence,                          -- Mean probability in 0–1 that it is right.
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
