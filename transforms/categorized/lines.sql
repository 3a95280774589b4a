-- Every document line with the account that counts, and who or what decided it.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- follows: document_id
-- columns: categorized.document_lines
with

lines as (
    select
        document_lines.*,
        case
            when document_lines.document_type in ('bill', 'vendor_credit')
                then items.expense_account_id
            else items.income_account_id
        end as item_account_id,
        parties.party,
        coalesce(parties.merged_party_id, document_lines.party_id) as merged_party_id,
        -- What the categorizer may look at: when it changes, an old suggestion is stale.
        md5(concat_ws(
            chr(31), document_lines.document_type, coalesce(document_lines.party_id, ''),
            coalesce(document_lines.description, ''), written(document_lines.amount),
            coalesce(document_lines.department_id, ''), coalesce(document_lines.item_id, '')
        )) as features_hash
    from categorized.document_lines as document_lines
    left join staging.items as items using (item_id)
    left join categorized.parties as parties using (party_id)
),

-- A split counts while its parts make up the line; when BILL changes the amount, it is asked anew.
splits as (
    select
        person.document_type, person.document_id, person.line_id, person.parts,
        list_sum(list_transform(person.parts, part -> part.amount))::decimal(18, 3) as amount,
        list_sum(list_transform(person.parts, part -> part.amount)) = lines.amount as is_whole
    from categorized.person_decisions as person
    inner join lines using (document_type, document_id, line_id)
    where person.parts is not null and not person.withdrawn
),

machine_decisions as (
    select made.*
    from decisions.categories as made
    inner join lines using (document_type, document_id, line_id, features_hash)
    where made.source in ('model', 'default')
        and made.decided_at <= getvariable('as_of') and made.decided_at <= lines.known_at
    qualify row_number() over (
        partition by document_type, document_id, line_id order by made.decided_at desc, made.rowid desc
    ) = 1
),

-- A rule is no recorded decision: it counts while it stands and fits, so removing it undoes it.
first_rules as (
    select
        matches.document_type, matches.document_id, matches.line_id, rules.rule_id,
        rules.account_id, rules.reason, rules.decided_at
    from categorized.rule_matches as matches
    inner join categorized.rules as rules using (rule_id)
    where matches.is_first
),

roles as (
    select
        max(account_id) filter (where role = 'uncategorized_expense') as uncategorized_expense,
        max(account_id) filter (where role = 'uncategorized_income') as uncategorized_income,
        max(account_id) filter (where role = 'short_pay') as short_pay
    from categorized.account_roles
),

-- One row per line on each side, so no join fans out.
decided as (
    select
        lines.*,
        case
            when person.account_id is not null and not person.withdrawn then 'person'
            when split.is_whole then 'person'
            when coalesce(lines.coded_account_id, lines.item_account_id) is not null then 'bill'
            when first_rules.rule_id is not null then 'rule'
            when machine.account_id is not null and not machine.withdrawn then machine.source
            else 'default'
        end as category_source,
        person.account_id as person_account_id,
        if(split.is_whole, split.parts, null) as parts,
        if(split.is_whole, null, split.amount) as amount_split_before,
        person.reason as person_reason,
        person.decided_at as person_decided_at,
        first_rules.rule_id,
        first_rules.account_id as rule_account_id,
        first_rules.reason as rule_reason,
        first_rules.decided_at as rule_decided_at,
        machine.account_id as machine_account_id,
        machine.confidence as machine_confidence,
        machine.needs_review as machine_needs_review,
        machine.model_version as machine_model_version,
        machine.reason as machine_reason,
        machine.alternatives as machine_alternatives,
        machine.decided_at as machine_decided_at
    from lines
    left join categorized.person_decisions as person using (document_type, document_id, line_id)
    left join splits as split using (document_type, document_id, line_id)
    left join first_rules using (document_type, document_id, line_id)
    left join machine_decisions as machine using (document_type, document_id, line_id)
)

select
    document_type, document_id, line_id, line_no, version, is_booked, date, party_id,
    party,                                         -- Its name as BILL last reported it.
    merged_party_id,                               -- The vendor or customer that stands for all its spellings.
    description, amount, currency, class_id, department_id, location_id, job_id, item_id, employee_id,
    coalesce(coded_account_id, item_account_id) as bill_account_id,  -- Account chosen in BILL, on the line or by its item.
    features_hash,                                 -- Changes when what the categorizer looks at changes.
    case category_source
        when 'person' then person_account_id
        when 'bill' then coalesce(coded_account_id, item_account_id)
        when 'rule' then rule_account_id
        when 'default' then case
            when document_type = 'invoice' then roles.uncategorized_income
            when document_type = 'credit_memo' then roles.short_pay
            else roles.uncategorized_expense
        end
        else machine_account_id
    end as account_id,                             -- The account that counts; null when a person split the line.
    category_source,                               -- bill, person, rule, model or default.
    case category_source
        when 'person' then 1.0
        when 'bill' then 1.0
        when 'rule' then 1.0
        when 'default' then 0.0
        else coalesce(machine_confidence, 0.0)
    end::double as confidence,                     -- Probability in 0–1 that the account is right.
    case
        when amount_split_before is not null then true
        when category_source in ('person', 'bill', 'rule') then false
        when category_source = 'default' then true
        else machine_needs_review
    end as needs_review,                           -- A person should look at it.
    if(category_source = 'model', machine_model_version, null) as model_version,  -- Model that decided, if one did.
    case
        when amount_split_before is not null
            then format(
                'a person split {} of this line, which now is {}: split it again or choose an account',
                written(amount_split_before), written(amount)
            )
        when category_source = 'person' then person_reason
        when category_source = 'bill' then if(coded_account_id is null, 'account of the item', 'coded in BILL')
        when category_source = 'rule' then rule_id || ': ' || coalesce(rule_reason, 'a rule of the firm')
        when category_source = 'default' then coalesce(machine_reason, 'nobody decided yet')
        else machine_reason
    end as reason,                                 -- Why this account, in words.
    machine_alternatives as alternatives,          -- The categorizer's next best accounts, as JSON.
    case category_source
        when 'person' then person_decided_at
        when 'bill' then null
        when 'rule' then rule_decided_at
        else machine_decided_at
    end as decided_at,                             -- When it was decided; null when BILL coded it.
    parts,                                         -- How a person split the line; null when whole.
    if(category_source = 'rule', rule_id, null) as rule_id,  -- The rule that decided, if one did.
    machine_decided_at is not null as has_standing_decision,  -- The categorizer answered for exactly these features.
    machine_model_version as answered_model_version,  -- The model that answered for them.
    (
        category_source = 'model'
        and ('0x' || left(md5(document_type || document_id || line_id), 6))::integer % 25 = 0
    ) as is_sampled                                -- One in 25 of what the model booked: a person should check it while it is new.
from decided
cross join roles
