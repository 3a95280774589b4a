-- What several SQL files share. The warehouse creates these before any table.

-- total × part ÷ whole to the cent, half away from zero, in whole numbers: a division of decimals
-- would pass through binary fractions, which miss cents above a few billions.
create or replace macro prorated(total, part, whole) as case
    when whole is null or whole = 0 then 0::decimal(38, 2)
    else (
        sign(total) * sign(part) * sign(whole) * (
            (
                2 * abs((total * 100)::hugeint) * abs((part * 100)::hugeint)
                + abs((whole * 100)::hugeint)
            ) // (2 * abs((whole * 100)::hugeint))
        )
    )::hugeint::decimal(36, 0) * 0.01::decimal(2, 2)
end;

-- The kind of document that a BILL list holds; null for lists of anything else.
create or replace macro document_type_of(bill_list) as case bill_list
    when 'bills' then 'bill'
    when 'vendor_credits' then 'vendor_credit'
    when 'payments' then 'payment'
    when 'invoices' then 'invoice'
    when 'credit_memos' then 'credit_memo'
    when 'received_payments' then 'received_payment'
    when 'money_movements' then 'money_movement'
    when 'billing_statements' then 'billing_statement'
end;

-- A document with null for every id that names nothing: BILL writes those "" or with zeros only. So
-- whatever reads a reference behind this finds a document or nothing. In JSON text a quoted name
-- before a colon is a field: quotes inside texts are escaped.
create or replace macro without_empty_references(document) as case
    -- A plain search is quick, and most documents have nothing to replace.
    when regexp_matches(document::varchar, 'd"\s*:\s*("[\s0-]*"|[0.]+\s*[,}])')
        then regexp_replace(
            document::varchar, '"((?:\w*I|i)d)"\s*:\s*(?:"[\s0-]*"|[0.]+)(\s*[,}])', '"\1":null\2', 'g'
        )::json
    else document
end;

-- What a document is in: its party's currency as known for it. Where that is the home currency or
-- none and the document says that it is worth another amount than it shows, it is in another
-- currency all the same: the party's foreign one, else XXX, ISO 4217's code for no known one.
-- ``funding_amount`` and ``rate`` are null where BILL says nothing that counts.
create or replace macro document_currency(
    home, known, known_foreign, amount, funding_amount, rate
) as case
    when known <> home then known
    when amount <> 0 and coalesce(funding_amount <> amount, rate <> 1, false)
        then coalesce(known_foreign, 'XXX')
    else home
end;
