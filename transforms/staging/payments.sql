-- Payments to vendors as BILL last reported them, typed, with the bills they pay still inside.
--
-- grain: one row per payment
-- key: payment_id
-- owner: team:accounting
-- follows: payment_id
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        from_json(document, '{
            "vendorId": "VARCHAR", "vendorName": "VARCHAR", "amount": "VARCHAR",
            "fundingAmount": "VARCHAR", "processDate": "VARCHAR", "description": "VARCHAR",
            "status": "VARCHAR", "singleStatus": "VARCHAR", "disbursementStatus": "VARCHAR",
            "disbursementType": "VARCHAR", "onlinePayment": "BOOLEAN", "allowExport": "BOOLEAN",
            "transactionNumber": "VARCHAR", "confirmationNumber": "VARCHAR",
            "billId": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "fundingAccount": {"type": "VARCHAR", "id": "VARCHAR"},
            "classifications": {"chartOfAccountId": "VARCHAR"},
            "billPayments": [{"id": "VARCHAR", "billId": "VARCHAR", "amount": "VARCHAR",
                "vendorCredits": [{"id": "VARCHAR", "amount": "VARCHAR"}]}],
            "voidInfo": [{"type": "VARCHAR", "status": "VARCHAR"}]
        }') as d
    from staging.documents_known
    where list = 'payments'
),

-- What each status means for the books; accounting.md's rows 2, 3 and 11 to 18.
states (single_status, payment_state) as (
    values
    ('SCHEDULED', 'scheduled'),
    ('READY_TO_FUND', 'scheduled'),
    ('CANCELLATION_IN_PROGRESS', 'scheduled'),
    ('FUNDING_STARTED', 'paid'),
    ('PROCESSED', 'paid'),
    ('SENT', 'paid'),
    ('DELIVERED', 'paid'),
    ('CLEARED', 'paid'),
    ('PARTIALLY_CLAIMED', 'attention'),
    ('DISBURSEMENT_ON_HOLD', 'attention'),
    ('EXPIRING', 'attention'),
    ('VOID_PENDING', 'attention'),
    ('FUNDING_FAILED_ACTION_NEEDED', 'attention'),
    ('DISBURSEMENT_FAILED_ACTION_NEEDED', 'attention'),
    ('DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED', 'attention'),
    ('FUNDS_ESCHEATED', 'paid'),
    ('VOIDED', 'void'),
    ('FUNDING_FAILED_VOIDED', 'void'),
    ('CANCELED', 'void'),
    ('CANCELLED', 'void')
),

-- Where BILL gives no combined status, its older ones decide.
payments as (
    select
        documents.*,
        policies.home_currency, coalesce(amount_of(d.amount), 0) as amount,
        -- In dollars, so of use in books kept in dollars only. On a card it may hold a fee.
        if(policies.home_currency = 'USD', nullif(amount_of(d.fundingAmount), 0), null) as funding_amount,
        coalesce(d.fundingAccount.type, '') in ('CARD_ACCOUNT', 'AP_CARD') as is_by_card,
        parties.currency as currency_known, parties.foreign_currency, coalesce(parties.was_foreign, false) as was_foreign,
        policies.book_unexportable_payments,
        coalesce(
            states.payment_state,
            case
                when d.status in ('VOID', 'CANCELED', 'CANCELLED', 'FAILED') then 'void'
                when d.status in ('SCHEDULED', 'APPROVING', 'PENDING') then 'scheduled'
                when d.status in ('PAID', 'ESCHEATED') then 'paid'
                when not d.onlinePayment then 'paid'
                else 'unknown'
            end
        ) as payment_state
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'payments' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.vendorId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
    left join states on states.single_status = documents.d.singleStatus
),

-- Where BILL does not say what a foreign payment cost, it is worth what it pays: no gain, no loss.
bills_paid as (
    select
        payments.id, sum(payments.amount) as amount_paid,
        sum(prorated(bills.amount_home, payments.amount, bills.amount)) as amount_paid_home,
        if(count(distinct bills.currency) = 1, min(bills.currency), null) as currency_paid
    from (
        select id, paid.billId as bill_id, amount_of(paid.amount) as amount
        from (select id, unnest(d.billPayments) as paid from payments)
    ) as payments
    inner join staging.bills as bills on bills.bill_id = payments.bill_id
    group by payments.id
),

-- A payment is in the currency of the bills it pays, unless they are in home currency and the money
-- that left the bank is not what they were paid.
payments_in_currency as (
    select
        payments.*, bills_paid.amount_paid, bills_paid.amount_paid_home,
        case
            when bills_paid.currency_paid <> home_currency or is_as_shown
                then coalesce(bills_paid.currency_paid, currency_by_itself)
            else currency_by_itself
        end as currency
    from (
        select
            *,
            coalesce(is_by_card or funding_amount = amount, true) as is_as_shown,
            document_currency(
                home_currency, currency_known, foreign_currency, amount, if(is_by_card, null, funding_amount), null
            ) as currency_by_itself
        from payments
    ) as payments
    left join bills_paid using (id)
)

select
    id as payment_id,                                       -- BILL's id of the payment.
    unreadable_values(
        list_concat([d.amount, d.fundingAmount], list_transform(d.billPayments, lambda paid: paid.amount)),
        [d.processDate],
        null::decimal(18, 2), null::decimal(18, 8)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.amount], list_transform(d.billPayments, lambda paid: paid.amount)),
        [d.processDate], currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    coalesce(d.transactionNumber, d.confirmationNumber) as payment_number,  -- BILL's number for people.
    coalesce(day_of(d.processDate), d.createdTime::date, seen_at::date) as payment_date,  -- Day BILL starts to process it.
    d.description,                                          -- Text on the payment.
    currency,                                               -- Of the bills it pays, else the vendor's as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    in_currency(amount, currency <> home_currency) as amount,                       -- Cash paid, in the bills' currency.
    case
        when currency = home_currency then amount
        when funding_amount is not null then funding_amount
        when amount_paid <> 0 then prorated(amount_paid_home, amount, amount_paid)
        else amount
    end::decimal(18, 2) as amount_home,                     -- Cash paid, in home currency.
    currency = home_currency or amount = 0 or funding_amount is not null
        as is_home_amount_given,                            -- BILL says what was taken from the bank; 0.00 says nothing.
    -- By the payment and its vendor alone: what it pays is told in other documents.
    case
        when funding_amount is not null or amount = 0 then coalesce(funding_amount, 0)
        when not was_foreign then amount
    end::decimal(18, 2) as amount_withdrawn,                -- What the bank account is assumed to have paid, where BILL shows no withdrawal; null: BILL does not say.
    case
        -- BILL charges the card with payment and fee in one sum.
        when is_by_card and currency = home_currency then greatest(coalesce(funding_amount, 0) - amount, 0)
        else 0
    end::decimal(18, 2) as fee,                             -- Card fee on top of the payment.
    coalesce(d.onlinePayment, true) as is_online,           -- BILL moved the money itself.
    coalesce(d.fundingAccount.type, 'BANK_ACCOUNT') as funding_type,  -- BANK_ACCOUNT, CARD_ACCOUNT, WALLET, AP_CARD.
    d.fundingAccount.id as funding_account_id,              -- BILL's id of that account.
    'payments:' || coalesce(d.fundingAccount.id, 'default') || ':'
    || coalesce(day_of(d.processDate), d.createdTime::date, seen_at::date) as transfer_id,  -- The withdrawal assumed for it where BILL shows none.
    d.classifications.chartOfAccountId as paid_from_account_id,  -- Ledger account named on an outside payment.
    coalesce(d.singleStatus, d.status, 'UNDEFINED') as status,   -- BILL's combined status.
    coalesce(d.disbursementType, 'UNDEFINED') as disbursement_type,  -- ACH, CHECK, VIRTUAL_CARD …
    payment_state,                                          -- scheduled, paid, attention (booked, look at it), void, unknown.
    coalesce(
        list_transform(d.billPayments, lambda paid: struct_pack(
            id := paid.id, "billId" := paid.billId, amount := in_currency(amount_of(paid.amount), currency <> home_currency),
            "vendorCredits" := list_transform(paid.vendorCredits, lambda credit: struct_pack(
                id := credit.id, amount := in_currency(amount_of(credit.amount), currency <> home_currency)
            ))
        )),
        -- A payment of one bill may name it at the top only.
        if(d.billId is null, [], [struct_pack(
            id := id || ':bill', "billId" := d.billId, amount := in_currency(amount_of(d.amount), currency <> home_currency), "vendorCredits" := []
        )])
    ) as bill_payments,                                     -- The bills it pays, typed.
    payment_state in ('paid', 'attention')
    and not is_archived and unreadable is null
    and (book_unexportable_payments = 'yes' or coalesce(d.allowExport, true))
        as is_booked                                        -- Belongs in the books.
from payments_in_currency
