-- How the model is doing, month by month: what it books, what it asks, how often it is overruled.
--
-- Counts lines that came without an account; a month is that of the documents. An alarm compares the
-- month with the three before it that had enough lines.
--
-- grain: one row per month
-- key: month
-- owner: team:accounting
with

answers as (
    select
        document_type, document_id, line_id,
        arg_max(account_id, (decided_at, rowid)) filter (where source = 'model') as booked_account_id,
        arg_max(confidence, (decided_at, rowid)) filter (where source <> 'person') as confidence
    from decisions.categories
    where decided_at <= getvariable('as_of')
    group by document_type, document_id, line_id
    having count(*) filter (where source <> 'person') > 0
),

first_seen as (
    select merged_party_id, min(date) as first_date from categorized.lines group by merged_party_id
),

months as (
    select
        date_trunc('month', lines.date)::date as month,
        count(*) as line_count,
        count(*) filter (where lines.category_source = 'default') as line_count_asked,
        count(answers.booked_account_id) as line_count_booked,
        avg(answers.confidence) as confidence,
        avg((date_trunc('month', first_seen.first_date) = date_trunc('month', lines.date))::integer)
            as new_party_share,
        count(*) filter (
            where answers.booked_account_id is not null and lines.category_source in ('person', 'bill')
        ) as line_count_checked,
        count(*) filter (
            where answers.booked_account_id is not null and lines.category_source in ('person', 'bill')
                and lines.account_id <> answers.booked_account_id
        ) as line_count_overruled
    from categorized.lines as lines
    inner join answers using (document_type, document_id, line_id)
    left join first_seen using (merged_party_id)
    where lines.is_booked
    group by 1
),

compared as (
    select
        *,
        avg(confidence) over before_it as confidence_before,
        avg(new_party_share) over before_it as new_party_share_before
    from months
    window before_it as (order by month rows between 3 preceding and 1 preceding)
)

select
    month,                                                       -- First day of the month.
    line_count,                                                  -- Lines that came without an account.
    line_count_booked,                                           -- Of these, booked by the model without asking.
    line_count_asked,                                            -- Of these, still waiting for a person.
    round(confidence, 4)::double as confidence,                  -- Mean probability in 0–1 the model gave its answers.
    round(new_party_share, 4)::double as new_party_share,        -- Share of lines of parties first seen that month, in 0–1.
    line_count_checked,                                          -- Booked lines that a person or BILL coded later.
    line_count_overruled,                                        -- Of these, to another account.
    if(line_count_checked > 0, round(line_count_overruled / line_count_checked, 4), null)::double
        as overruled_share,                                      -- Share of the checked lines, in 0–1.
    case
        -- Fewer lines than this say nothing; a fifth overruled is four times what is promised.
        when line_count_checked >= 10 and line_count_overruled > 0.2 * line_count_checked
            then 'people overrule the model often: train it anew or roll it back'
        when line_count < 20 then null
        when confidence < confidence_before - 0.15
            then 'the model is much less sure than before: look at what changed'
        when new_party_share > 0.3 and new_party_share > 2 * new_party_share_before
            then 'many vendors or customers are new: expect more questions'
    end as alarm                                                 -- What a person should know; null: nothing.
from compared
