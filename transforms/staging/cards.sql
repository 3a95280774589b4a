-- The cards that payments are made with: those BILL lists, and those that only a payment names.
--
-- grain: one row per card
-- key: card_id
-- owner: team:accounting
with

listed as (
    select
        id as card_id,
        if(list = 'ap_cards', 'AP_CARD', 'CARD_ACCOUNT') as card_type,
        is_archived,
        from_json(document, '{
            "name": "VARCHAR", "nickName": "VARCHAR", "brand": "VARCHAR", "last4": "VARCHAR",
            "cardNumber": "VARCHAR"
        }') as d
    from staging.documents_known
    where list in ('card_accounts', 'ap_cards')
),

named as (
    select funding_account_id as card_id, min(funding_type) as card_type
    from staging.payments
    where funding_type in ('CARD_ACCOUNT', 'AP_CARD') and funding_account_id is not null
    group by funding_account_id
)

select
    coalesce(listed.card_id, named.card_id) as card_id,          -- BILL's id of the card.
    coalesce(named.card_type, listed.card_type) as card_type,    -- CARD_ACCOUNT, or AP_CARD: BILL's own card for payables.
    coalesce(
        listed.d.name, listed.d.nickName,
        concat_ws(
            ' ',
            coalesce(
                listed.d.brand,
                if(coalesce(named.card_type, listed.card_type) = 'AP_CARD', 'AP card', 'Card')
            ),
            -- Of a card's number nobody needs more than the last four digits.
            coalesce(
                right(coalesce(listed.d.last4, listed.d.cardNumber), 4), listed.card_id, named.card_id
            )
        )
    ) as card_name,                                              -- As BILL lists it, else its digits or its id.
    named.card_id is not null as is_used,                        -- A payment names it.
    coalesce(listed.is_archived, false) as is_archived           -- No longer offered in BILL.
from listed
full join named using (card_id)
