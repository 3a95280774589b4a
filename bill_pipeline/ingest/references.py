"""What new documents name and the client's file does not know yet.

A sync that reads only the lists with news may bring a bill of a vendor, or a line of an account,
that was made a minute before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Fields of documents and their lines, by the list whose object they name.
NAMED_BY = {
    "vendors": "vendorId",
    "customers": "customerId",
    "chart_of_accounts": "chartOfAccountId",
    "accounting_classes": "accountingClassId",
    "departments": "departmentId",
    "locations": "locationId",
    "jobs": "jobId",
    "employees": "employeeId",
    "items": "itemId",
}


def unknown_lists(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> list[str]:
    """The lists of which the versions seen at ``as_of`` (UTC) name an object that is not stored."""
    names = "|".join(NAMED_BY.values())
    known = " union all ".join(
        f"select '{table}' as list, id from raw.{table}" for table in NAMED_BY
    )
    fields = " ".join(f"when '{name}' then '{table}'" for table, name in NAMED_BY.items())
    found = connection.execute(
        f"""
        with pairs as (
            select distinct
                unnest(regexp_extract_all(document::varchar, '"(?:{names})":\\s*"[^"]+"')) as pair
            from raw.document_versions
            where seen_at = $as_of
        ),

        named as (
            select
                case split_part(pair, '"', 2) {fields} end as list,
                split_part(pair, '"', 4) as id
            from pairs
        )

        select distinct list
        from named
        anti join ({known}) as known using (list, id)
        where regexp_matches(id, '[^0\\s-]')  -- zeros name nothing
            -- Of a list that BILL refuses, asking again brings nothing.
            and list not in (
                select list from raw.list_refusals group by list
                having arg_max(is_refused, (seen_at, rowid))
            )
        order by list
        """,
        {"as_of": as_of.replace(tzinfo=None)},
    ).fetchall()
    return [table for (table,) in found]
