-- What several SQL files share. The warehouse creates these before any table.

-- total × part ÷ whole to the cent, half away from zero, in whole numbers: a division of decimals
-- would pass through binary fractions, which miss cents above a few billions. Parts and wholes may
-- be in a currency of three decimals.
create or replace macro prorated(total, part, whole) as case
    when whole is null or whole = 0 or part = 0 then 0::decimal(38, 2)
    -- Most of what is paid is paid at once, and dividing numbers as large as these takes long.
    when part = whole then total::decimal(36, 2)::decimal(38, 2)
    else (
        sign(total) * sign(part) * sign(whole) * (
            (
                2 * abs((total::decimal(36, 2) * 100)::hugeint) * abs((part::decimal(35, 3) * 1000)::hugeint)
                + abs((whole::decimal(35, 3) * 1000)::hugeint)
            ) // (2 * abs((whole::decimal(35, 3) * 1000)::hugeint))
        )
    )::hugeint::decimal(36, 0) * 0.01::decimal(2, 2)
end;

-- A part's share of a total to the cent, where the parts up to and with it come to ``so_far`` of the
-- whole: rounded from the running total, so that the shares add up exactly.
create or replace macro share_of(total, part, so_far, whole) as
    prorated(total, so_far, whole) - prorated(total, so_far - part, whole);

-- The same in home currency: what is not foreign is worth what it is.
create or replace macro home_share(is_foreign, total_home, part, so_far, whole) as
    if(is_foreign, share_of(total_home, part, so_far, whole), part);

-- What the last of some decisions says, null included: the later one counts, and of one moment the one
-- that was added later.
create or replace macro last_decided(value, decided_at, row_no) as
    arg_max({'said': value}, (decided_at, row_no)).said;

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

-- JSON as what ``structure`` says; "CLASSIFICATIONS" there is how BILL codes a document or a line.
create or replace macro document_as(document, structure) as from_json(document, replace(
    structure, '"CLASSIFICATIONS"',
    '{"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR", "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"}'
));

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

-- The amount that BILL gives, digit by digit; null for what is none or is 10^15 or more. As JSON's
-- numbers amounts would pass through binary fractions: 1.005 is less than 1.005 there.
create or replace macro amount_of(text) as case
    -- DuckDB reads wide decimals a hundred times slower than those of 18 digits.
    when regexp_full_match(text, '-?[0-9]{1,12}([.][0-9]{1,5})?') then try_cast(text as decimal(18, 5))::decimal(28, 8)
    when abs(try_cast(text as decimal(28, 8))) < 1000000000000000 then try_cast(text as decimal(28, 8))
end;

-- A rate that BILL gives; null for what is none.
create or replace macro rate_of(text) as case
    when abs(try_cast(text as decimal(18, 8))) < 1000000 then try_cast(text as decimal(18, 8))
end;

-- The day of a date or time as BILL writes it, year first; null for what is none. DuckDB alone would
-- take 'infinity' for a day of the year 9999.
create or replace macro day_of(text) as case
    when regexp_full_match(text, '[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}([T ].*)?')
        then try_cast(regexp_extract(text, '^[0-9]+-[0-9]+-[0-9]+') as date)
end;

-- What an amount is worth at a rate, to the cent; null where that is 10^15 or more, which is no amount.
create or replace macro worth_at(amount, rate) as case
    when abs(amount * rate) < 1000000000000000 then round(amount * rate, 2)
end;

-- What a document gives as amounts and days that are none, its amount at its rate among them where
-- that is what it is worth; null when all can be read.
create or replace macro unreadable_values(amounts, days, amount, rate) as nullif(array_to_string(list_concat(
    list_filter(amounts, lambda text: text <> '' and amount_of(text) is null),
    list_filter(days, lambda text: text <> '' and day_of(text) is null),
    if(
        amount * rate is not null and worth_at(amount, rate) is null,
        [amount::varchar || ' at the rate ' || rate::varchar], []
    )
), ', '), '');

-- The smallest unit of a currency is 10 to the minus this: ISO 4217, list one of 2024. What XXX has
-- nobody knows.
create or replace macro decimals_of(currency) as case
    when currency in (
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
        'XAF', 'XOF', 'XPF'
    ) then 0
    when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND', 'XXX') then 3
    else 2
end;

-- What a document gives that can be read and can hardly be meant: more decimals than its currency
-- has, days before 1990 or more than ten years ahead; null when there is nothing of the kind.
create or replace macro doubtful_values(amounts, days, currency) as nullif(array_to_string(list_sort(list_distinct(list_concat(
    list_transform(
        list_filter(amounts, lambda text: amount_of(text) * power(10, decimals_of(currency))::integer % 1 <> 0),
        lambda text: text || ' has more decimals than ' || currency
    ),
    list_transform(
        list_filter(days, lambda text: not day_of(text) between date '1990-01-01'
            and getvariable('report_date') + 3653),
        lambda text: left(text, 10) || ' is before 1990 or more than ten years ahead'
    )
))), ', '), '');

-- An amount as it is kept: to the cent in home currency, with up to three decimals in another one.
-- What no amount can be is null, and its document is set aside. Both are cast, because DuckDB gives
-- wide decimals of two and of three places two places together.
create or replace macro in_currency(amount, is_foreign) as
    if(is_foreign, try_cast(round(amount, 3) as decimal(18, 3)), try_cast(round(amount, 2) as decimal(18, 3)));

-- What a line may differ by for rounding: the smallest unit of its currency.
create or replace macro smallest_unit(currency) as case
    when currency = 'XXX' then 0.010
    when decimals_of(currency) = 0 then 1.000
    when decimals_of(currency) = 3 then 0.001
    else 0.010
end;

-- An amount as text: with a third decimal only where it is not zero.
create or replace macro written(amount) as
    if(amount = amount::decimal(18, 2), amount::decimal(18, 2)::varchar, amount::varchar);

-- The last day of the fiscal year that ends in a calendar year; 02-29 is the last day of February in
-- every year.
create or replace macro fiscal_year_end_in(calendar_year, month_and_day) as least(
    make_date(calendar_year::integer, left(month_and_day, 2)::integer, 1)
    + (right(month_and_day, 2)::integer - 1),
    last_day(make_date(calendar_year::integer, left(month_and_day, 2)::integer, 1))
);

-- The last and the first day of the fiscal year that contains a day.
create or replace macro fiscal_year_end_of(day, month_and_day) as fiscal_year_end_in(
    year(day) + if(fiscal_year_end_in(year(day), month_and_day) < day, 1, 0), month_and_day
);
create or replace macro fiscal_year_start(day, month_and_day) as
    1 + fiscal_year_end_in(year(fiscal_year_end_of(day, month_and_day)) - 1, month_and_day);

-- The sub-ledger that the account of a role controls; null for other roles.
create or replace macro control_of(role) as case role
    when 'ap_control' then 'payables'
    when 'ar_control' then 'receivables'
    when 'ap_clearing' then 'money out clearing'
    when 'ar_clearing' then 'money in clearing'
    when 'vendor_advances' then 'vendor advances'
    when 'customer_credits' then 'customer credits'
end;

-- An account that BILL names for money; null for payables and receivables, where none can be: what
-- stood there would be of no document.
create or replace macro of_money(account_id, control_accounts) as
    if(list_contains(control_accounts, account_id), null, account_id);

-- Whether the account of a role holds money, or money on its way, whatever type BILL gave it.
create or replace macro holds_money(role) as
    role in ('ap_clearing', 'ar_clearing', 'undeposited_funds', 'default_bank', 'bill_balance')
    or role like 'bank:%';

-- An amount as profit and loss shows it: income positive on accounts of income, cost on those of cost.
create or replace macro as_shown(account_type, amount) as
    if(account_type in ('Revenue', 'Other Income'), -amount, amount);

-- Whether a day is in the period of a report.
create or replace macro in_period(day) as
    day between coalesce(getvariable('period_start'), date '0001-01-01')
    and coalesce(getvariable('period_end'), date '9999-12-31');

-- In what column of an aging the open amount of a document stands.
create or replace macro aging_bucket(is_advance, amount, days_late) as case
    when is_advance then 'advances'
    when amount < 0 then 'credits'
    when days_late <= 0 then 'current'
    when days_late <= 30 then '1 to 30'
    when days_late <= 60 then '31 to 60'
    when days_late <= 90 then '61 to 90'
    else 'over 90'
end;

-- What a document's line is called: by BILL's id, else by its position; by both from the second time on
-- that the document has the id.
create or replace macro line_id_of(bill_line_id, times_seen, line_no) as
    if(times_seen = 1 and bill_line_id is not null, bill_line_id, coalesce(bill_line_id || ':', 'line-') || line_no);
