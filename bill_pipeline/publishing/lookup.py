"""What people type for an account, a vendor or a department → its id in the client's books.

Reads the published ledger. Every refusal names the client, what was typed and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from bill_pipeline.errors import PipelineError
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

#: kind → (how its ids, numbers and names are found, how a person sees the whole list)
_KINDS: dict[str, tuple[str, str]] = {
    # No control, clearing, bank or equity account: lines never go there by hand.
    "account": (
        """
        select account_id, account_code, account_name from accounts
        where client = $client and not is_archived and control is null and source <> 'unknown'
            and account_subtype not in
                ('Bank', 'Clearing', 'Suspense', 'Retained Earnings', 'Opening Balance')
        """,
        "bill-pipeline query \"from accounts where client = '{client}'\"",
    ),
    "account in use": (
        """
        select account_id, account_code, account_name from accounts
        where client = $client and not is_archived
        """,
        "bill-pipeline query \"from accounts where client = '{client}'\"",
    ),
    "party": (
        "select party_id, null, party from parties where client = $client",
        "bill-pipeline parties list {client} --all",
    ),
    "department": (
        """
        select dimension_id, null, dimension_name from dimensions
        where client = $client and dimension = 'department' and not is_archived
        """,
        "bill-pipeline query \"from dimensions where client = '{client}'\"",
    ),
}


class NameRefused(PipelineError):
    """What was typed names nothing of the client, or several things."""


@dataclass(frozen=True)
class Names:
    """The names of one kind of thing of one client; ids, numbers and names in any case."""

    client: str
    kind: str
    ids: dict[str, list[str]]

    @classmethod
    def read(cls, home: Home, client: str, kind: str) -> Names:
        """Raises UnknownClient, NothingPublished."""
        Registry(home).status(client)
        ids: dict[str, list[str]] = {}
        with open_ledger(home) as ledger:
            rows = ledger.execute(_KINDS[kind][0], {"client": client}).fetchall()
        for thing_id, code, name in rows:
            label = f"{code} {name}" if code else name
            for text in {thing_id, code, name, label} - {None, ""}:
                ids.setdefault(text.casefold(), []).append(thing_id)
        return cls(client, kind, ids)

    def id_of(self, text: str) -> str:
        """The one thing that ``text`` names. Raises NameRefused."""
        found = self.ids.get(text.strip().casefold(), [])
        if len(found) == 1:
            return found[0]
        problem = f"means several ({', '.join(sorted(found)[:3])})" if found else "is none"
        where = _KINDS[self.kind][1].format(client=self.client)
        raise NameRefused(
            f"{self.client}: {text!r} names no single {self.kind}: it {problem}. Nothing was "
            f"recorded. Use the id; `{where}` lists them."
        )
