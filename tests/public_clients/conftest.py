"""A sandbox for the public clients, and both clients as functions of their calls.

Here: what both test modules share. Not here: installing (``environments``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import Company
from tests.public_clients import environments

#: Lists of v3 that the connector's host adds to its catalog.
PAYABLES = ("vendors", "bills", "vendor-credits", "payments", "recurringbills")
#: Sends (method, arguments) pairs to a client; its answer. Keywords replace credentials.
Calls = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    # Enough documents that customers' invoices fill several pages of a hundred.
    with SandboxServer(companies=2, documents=3_000, seed=7) as running:
        yield running


@pytest.fixture
def company(sandbox: SandboxServer) -> Company:
    """The company that has customers."""
    return sandbox.companies[1]


@pytest.fixture(scope="session")
def parsons_installed() -> None:
    _installed(environments.parsons)


@pytest.fixture(scope="session")
def connector_installed() -> None:
    _installed(environments.connector)


def _installed(prepare: Callable[[], object]) -> None:
    try:
        prepare()
    except environments.ClientUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def parsons(sandbox: SandboxServer, company: Company, parsons_installed: None) -> Calls:
    def ask(*calls: tuple[str, dict[str, Any]], **login: str) -> dict[str, Any]:
        given = {
            "user_name": company.user_name,
            "password": company.user_password,
            "org_id": company.organization_id,
            "dev_key": sandbox.dev_key,
            "api_url": f"{sandbox.v2_url}/",
        }
        return environments.run_parsons({"login": given | login, "calls": calls})

    return ask


@pytest.fixture
def connector(sandbox: SandboxServer, company: Company, connector_installed: None) -> Calls:
    def ask(*calls: tuple[str, dict[str, Any]], **credentials: str) -> dict[str, Any]:
        given = {
            "username": company.user_name,
            "password": company.user_password,
            "organizationId": company.organization_id,
            "devKey": sandbox.dev_key,
            "apiUrl": sandbox.base_url,
        }
        request = {"credentials": given | credentials, "calls": calls, "lists": PAYABLES}
        return environments.run_connector(request)

    return ask
