"""What the console's pages use: its stores, the published ledger, the work in hand, templates.

What is served of it is put together in ``app``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jinja2

from bill_pipeline.console.auth.audit import AuditLog
from bill_pipeline.console.auth.sign_ins import SignIns
from bill_pipeline.console.auth.turns import Turns
from bill_pipeline.console.auth.users import Users
from bill_pipeline.console.dagster_proxy.door import DagsterDoor
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.many_clients import ManyClients
from bill_pipeline.console.parts.formats import FILTERS
from bill_pipeline.console.postponed import ReviewMemory
from bill_pipeline.console.queries.ledger import Ledger
from bill_pipeline.console.webhook_endpoint import Refusals
from bill_pipeline.console.work import Work
from bill_pipeline.pipeline.steps import PUBLISH, STEPS
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

FOLDER = Path(__file__).parent
#: Names under which a browser on this machine reaches the console.
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Console:
    """Everything the pages use; one per home."""

    home: Home
    database: ConsoleDatabase
    users: Users
    sign_ins: SignIns
    audit: AuditLog
    review_memory: ReviewMemory
    registry: Registry
    ledger: Ledger
    work: Work
    many_clients: ManyClients
    is_https: bool = False
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    dagster: DagsterDoor | None = None
    webhook_refusals: Refusals = field(default_factory=Refusals)

    @classmethod
    def at(
        cls,
        home: Home,
        *,
        work: Work | None = None,
        is_https: bool = False,
        allowed_hosts: tuple[str, ...] = (),
        dagster_socket: Path | None = None,
    ) -> Console:
        """The console of ``home``. ``allowed_hosts``: further names it is reached under.

        ``dagster_socket``: where Dagster's web page listens, to be served with it.
        """
        database = ConsoleDatabase(home.console)
        users, registry = Users(database), Registry(home)
        return cls(
            home=home,
            database=database,
            users=users,
            sign_ins=SignIns(database, users),
            audit=AuditLog(database),
            review_memory=ReviewMemory(database),
            registry=registry,
            ledger=Ledger(home),
            work=work or Work(registry),
            many_clients=ManyClients(registry),
            is_https=is_https,
            allowed_hosts=(*LOCAL_HOSTS, *allowed_hosts),
            dagster=DagsterDoor(dagster_socket) if dagster_socket else None,
        )

    @cached_property
    def turns(self) -> Turns:
        """Who waits for whom; made by the first request, where an event loop runs."""
        return Turns()

    def has_client(self, client: str) -> bool:
        """Whether the client is connected; only then are its books published."""
        try:
            self.registry.status(client)
        except UnknownClient:
            return False
        return True

    def warm(self) -> None:
        """Read the catalogue and the templates before the first page asks for them."""
        self.ledger.warm()
        for name in self.templates.list_templates():
            self.templates.get_template(name)

    @cached_property
    def templates(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters.update(FILTERS)
        environment.globals["static"] = _static_addresses()
        # A client's books are published with others', not as a step of its own sync.
        environment.globals["steps_of_a_sync"] = {
            step.name: step.doing for step in STEPS if step is not PUBLISH
        }
        return environment


def _static_addresses() -> dict[str, str]:
    """File name → address that changes with the content, so that browsers may keep it."""
    return {
        path.name: f"/static/{path.name}?{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in (FOLDER / "static").iterdir()
    }
