-- Payments to vendors as BILL last reported them, typed, with the bills they pay still inside.
--
-- grain: one row per payment
-- key: payment_id
-- owner: team:accounting
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        from_json(document, '{
            "vendorId": "VARCHAR", "vendorName": "VARCHAR", "amount": "DECIMAL(18,2)",
            "fundingAmount": "DECIMAL(18,2)", "processDate": "DATE", "description": "VARCHAR",
            "status": "VARCHAR", "singleStatus": "VARCHAR", "disbursementStatus": "VARCHAR",
            "disbursementType": "VARCHAR", "onlinePayment": "BOOLEAN", "allowExport": "BOOLEAN",
            "transactionNumber": "VARCHAR", "confirmationNumber": "VARCHAR",
            "billId": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "fundingAccount": {"type": "VARCHAR", "id": "VARCHAR"},
            "classifications": {"chartOfAccountId": "VARCHAR"},
            "billPayments": [{"id": "VARCHAR", "billId": "VARCHAR", "amount": "DECIMAL(18,2)",
                "vendorCredits": [{"id": "VARCHAR", "amount": "DECIMAL(18,2)"}]}],
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
        coalesce(parties.currency, policies.home_currency) as currency,
        policies.home_currency,
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
    left join staging.parties as parties on parties.party_id = documents.d.vendorId
    left join states on states.single_status = documents.d.singleStatus
),

-- Where BILL does not say what a foreign payment cost, it is worth what it pays: no gain, no loss.
bills_paid as (
    select
        payments.id, sum(paid.amount) as amount,
        sum(prorated(bills.amount_home, paid.amount, bills.amount)) as amount_home
    from (
        select id, unnest(d.billPayments) as paid from payments where currency <> home_currency
    ) as payments
    inner join staging.bills as bills on bills.bill_id = payments.paid.billId
    group by payments.id
)

select
    id as payment_id,                                       -- BILL's id of the payment.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    coalesce(d.transactionNumber, d.confirmationNumber) as payment_number,  -- BILL's number for people.
    coalesce(d.processDate, d.createdTime::date, seen_at::date) as payment_date,  -- Day BILL starts to process it.
    d.description,                                          -- Text on the payment.
    currency,                                               -- The vendor's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Cash paid, in the bills' currency.
    case
        when currency = home_currency then coalesce(d.amount, 0)
        when coalesce(d.fundingAmount, 0) <> 0 then d.fundingAmount
        when bills_paid.amount <> 0 then prorated(bills_paid.amount_home, coalesce(d.amount, 0), bills_paid.amount)
        else coalesce(d.amount, 0)
    end::decimal(18, 2) as amount_home,                     -- Cash paid, in home currency.
    currency = home_currency or coalesce(d.amount, 0) = 0 or coalesce(d.fundingAmount, 0) <> 0
        as is_home_amount_given,                            -- BILL says what was taken from the bank; 0.00 says nothing.
    case
        -- BILL charges the card with payment and fee in one sum.
        when d.fundingAccount.type in ('CARD_ACCOUNT', 'AP_CARD') and currency = home_currency
            then greatest(coalesce(d.fundingAmount, 0) - coalesce(d.amount, 0), 0)
        else 0
    end::decimal(18, 2) as fee,                             -- Card fee on top of the payment.
    coalesce(d.onlinePayment, true) as is_online,           -- BILL moved the money itself.
    coalesce(d.fundingAccount.type, 'BANK_ACCOUNT') as funding_type,  -- BANK_ACCOUNT, CARD_ACCOUNT, WALLET, AP_CARD.
    d.fundingAccount.id as funding_account_id,              -- BILL's id of that account.
    'payments:' || coalesce(d.fundingAccount.id, 'default') || ':'
    || coalesce(d.processDate, d.createdTime::date, seen_at::date) as transfer_id,  -- The withdrawal assumed for it where BILL shows none.
    d.classifications.chartOfAccountId as paid_from_account_id,  -- Ledger account named on an outside payment.
    coalesce(d.singleStatus, d.status, 'UNDEFINED') as status,   -- BILL's combined status.
    coalesce(d.disbursementType, 'UNDEFINED') as disbursement_type,  -- ACH, CHECK, VIRTUAL_CARD …
    payment_state,                                          -- scheduled, paid, attention (booked, look at it), void, unknown.
    coalesce(
        d.billPayments,
        -- A payment of one bill may name it at the top only.
        if(d.billId is null, [], [struct_pack(
            id := id || ':bill', "billId" := d.billId, amount := d.amount, "vendorCredits" := []
        )])
    ) as bill_payments,                                     -- The bills it pays, typed.
    payment_state in ('paid', 'attention')
    and not is_archived
    and (book_unexportable_payments = 'yes' or coalesce(d.allowExport, true))
        as is_booked                                        -- Belongs in the books.
from payments
left join bills_paid using (id)
