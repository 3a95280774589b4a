"""The v3 plane: which path is answered by which function. What they do is elsewhere."""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute, Route

from bill_pipeline.sandbox import errors, v3_money_accounts, v3_reading, v3_writing
from bill_pipeline.sandbox.endpoint import Call, Endpoint, Handler
from bill_pipeline.sandbox.lists import LISTS
from bill_pipeline.sandbox.state import SandboxState

PREFIX = "/connect/v3/"


def routes(state: SandboxState) -> list[BaseRoute]:
    """Every v3 route; the last one answers any other path with 404 BDC_1121."""

    def route(path: str, handler: Handler, method: str = "GET", needs: str = "session") -> Route:
        return Route(PREFIX + path, Endpoint(state, handler, needs), methods=[method])

    found: list[BaseRoute] = [
        route("login", v3_reading.log_in, "POST", needs=""),
        route("login/session", v3_reading.session_details),
        route("login/organizations", v3_reading.session_organizations),
        route("logout", v3_reading.log_out, "POST"),
        route("health", v3_reading.health, needs=""),
        route("organizations/{organization_id}", v3_reading.get_organization),
        route("vendors/{object_id}/bank-account", v3_reading.get_vendor_bank_account),
        route("reports/audit-trail/vendor/{object_id}", v3_reading.audit_trail),
        route("invoices/record-payment", v3_writing.record_receipt, "POST"),
        route("payments", v3_writing.refuse_payment, "POST"),
        route("payments/bulk", v3_writing.refuse_payment, "POST"),
        route("payments/{object_id}/void", v3_writing.refuse_payment, "POST"),
        route("payments/{object_id}/cancel", v3_writing.refuse_payment, "POST"),
        *(route(path, handler) for path, handler in v3_money_accounts.READS.items()),
    ]
    for kind in ("documents", "attachments"):
        path = kind + "/download/{object_id}/{nested_id}"
        found.append(route(path, partial(v3_reading.download, kind)))
    nested = (
        ("customers/{object_id}/contacts", "contacts", "customers"),
        ("customers/{object_id}/bank-accounts", "customer-bank-accounts", "customers"),
        ("documents/bills/{object_id}", "documents", "bills"),
        ("attachments/customers/{object_id}", "attachments", "customers"),
        ("attachments/invoices/{object_id}", "attachments", "invoices"),
        ("attachments/vendors/{object_id}", "attachments", "vendors"),
    )
    for path, kind, parent in nested:
        found.append(route(path, partial(v3_reading.list_nested, kind, parent)))
        single = path + "/{nested_id}"
        found.append(route(single, partial(v3_reading.get_nested, kind, parent)))
    for row in LISTS.values():
        found.append(route(row.path, partial(v3_reading.list_documents, row)))
        single = row.path + "/{object_id}"
        found.append(route(single, partial(v3_reading.get_document, row)))
        if row.writable:
            found += [
                route(row.path, partial(v3_writing.create, row), "POST"),
                route(row.path + "/bulk", partial(v3_writing.create_many, row), "POST"),
                route(single, partial(v3_writing.edit, row), "PATCH"),
                route(single, partial(v3_writing.edit, row), "PUT"),
                route(single + "/archive", partial(v3_writing.set_archived, row, True), "POST"),
            ]
        if row.writable and row.restorable:
            restore = partial(v3_writing.set_archived, row, False)
            found.append(route(single + "/restore", restore, "POST"))
    found.append(
        Route(
            PREFIX + "{rest:path}",
            Endpoint(state, unknown_path, needs=""),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        )
    )
    return found


def unknown_path(call: Call) -> None:
    raise errors.unsupported(call.path)
