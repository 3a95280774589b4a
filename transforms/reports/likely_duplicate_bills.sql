-- Pairs of bills that look like the same bill entered twice, the surest first.
--
-- Same vendor, under any of its spellings, and same amount, and either the same number, whatever its
-- spelling, or two numbers with neighbouring signs swapped, within two weeks of each other. Zeros that
-- lead a group of digits and the signs between groups do not count, but where the groups part does:
-- 1-23 is not 12-3, and either may be what another bill calls 123. A vendor that bills the same amount
-- regularly is not named for it: without a telling number, equal amounts are no sign. A number that
-- stands on three bills or more is an order's or an account's, not an invoice's: it only tells of
-- bills within two weeks of each other.
--
-- grain: one row per pair of bills
-- key: bill_id, earlier_bill_id
-- owner: team:accounting
with

bills_of_parties as (
    select
        documents.document_id, coalesce(parties.merged_party_id, documents.party_id) as party_id, parties.merged_party as party,
        documents.number, documents.date, documents.amount, documents.currency, documents.status
    from ledger.documents as documents
    left join ledger.parties as parties using (party_id)
    where document_type = 'bill' and is_booked and amount > 0
),

-- Numbers are worked out only of vendors that billed an amount twice.
parties_in_question as (
    select distinct party_id
    from bills_of_parties
    group by party_id, currency, amount
    having count(*) > 1
),

bills as (
    select
        *,
        plain_number(coalesce(number, '')) as plain_number,
        plain_number(regexp_replace(plain_text(coalesce(number, '')), '[^\pL\pN]+', '', 'g')) as joined_number,
        count(*) over (partition by party_id, plain_number) as number_count
    from bills_of_parties
    where party_id in (select party_id from parties_in_question)
),

pairs as (
    select
        later.*,
        later.plain_number = earlier.plain_number
            or (
                later.joined_number = earlier.joined_number
                and (not contains(later.plain_number, '-') or not contains(earlier.plain_number, '-'))
            ) as is_same_number,
        earlier.document_id as earlier_document_id,
        earlier.number as earlier_number,
        earlier.date as earlier_date,
        earlier.status as earlier_status,
        abs(later.date - earlier.date) as days_apart,
        case
            when is_same_number then 'same number and amount'
            else 'swapped signs in the number, same amount'
        end as sign
    from bills as later
    inner join bills as earlier
        on earlier.party_id = later.party_id
        and earlier.currency = later.currency
        and earlier.amount = later.amount
        and (earlier.date, earlier.document_id) < (later.date, later.document_id)
    where
        later.joined_number not in ('', '0')
        and (
            (
                is_same_number
                and later.date - earlier.date <= if(later.number_count > 2, 14, 366)
            )
            or (
                later.date - earlier.date <= 14
                and length(later.joined_number) >= 5
                -- Two neighbouring signs swapped, never the last one. Other single differences are
                -- what numbers that count on have: they raised hundreds of false alarms on the
                -- ledgers of public bodies.
                and damerau_levenshtein(later.joined_number, earlier.joined_number) = 1
                and levenshtein(later.joined_number, earlier.joined_number) = 2
                and right(later.joined_number, 1) = right(earlier.joined_number, 1)
            )
        )
)

select
    document_id as bill_id,                              -- The later bill, which should be looked at.
    earlier_document_id as earlier_bill_id,              -- The bill it looks like.
    party_id,                                            -- BILL's id of the vendor.
    party,                                               -- Its name.
    number,                                              -- Number on the later bill.
    earlier_number,                                      -- Number on the earlier bill.
    date,                                                -- Day of the later bill.
    earlier_date,                                        -- Day of the earlier bill.
    days_apart,                                          -- Days between them.
    currency,                                            -- Currency of the amount.
    amount,                                              -- Amount of each of the two.
    status,                                              -- BILL's status of the later bill: paid twice if both are.
    earlier_status,                                      -- BILL's status of the earlier bill.
    sign                                                 -- Why the two are thought to be one.
from pairs
