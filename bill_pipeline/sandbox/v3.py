"""The v3 plane: which path is answered by which function. What they do is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from starlette.routing import BaseRoute, Route

from bill_pipeline.sandbox import (
    errors,
    v3_approvals,
    v3_below,
    v3_files,
    v3_mfa,
    v3_money_accounts,
    v3_paying,
    v3_reading,
    v3_seldom,
    v3_writing,
)
from bill_pipeline.sandbox.call import Call, Handler
from bill_pipeline.sandbox.endpoint import Endpoint
from bill_pipeline.sandbox.lists import LISTS, ListRow
from bill_pipeline.sandbox.state import SandboxState

PREFIX = "/connect/v3/"


_Operation = tuple[str, str, Handler]

#: What is no list: (method, path, function).
_OPERATIONS: tuple[_Operation, ...] = (
    ("GET", "login/session", v3_reading.session_details),
    ("GET", "login/organizations", v3_reading.session_organizations),
    ("POST", "logout", v3_reading.log_out),
    ("POST", "mfa/challenge", v3_mfa.challenge),
    ("POST", "mfa/challenge/validate", v3_mfa.validate),
    ("POST", "mfa/setup", v3_mfa.challenge),
    ("POST", "mfa/setup/validate", v3_mfa.validate),
    ("POST", "mfa/step-up", v3_mfa.step_up),
    ("GET", "mfa/phones", v3_mfa.phones),
    ("GET", "organizations/{organization_id}", v3_reading.get_organization),
    ("PATCH", "organizations/{organization_id}", v3_writing.edit_organization),
    ("GET", "vendors/{object_id}/bank-account", v3_below.get_vendor_bank_account),
    ("POST", "vendors/{object_id}/bank-account", v3_below.put_vendor_bank_account),
    ("DELETE", "vendors/{object_id}/bank-account", v3_below.delete_vendor_bank_account),
    ("GET", "reports/audit-trail/vendor/{object_id}", v3_reading.audit_trail),
    ("POST", "bills/record-payment", v3_paying.record),
    ("POST", "invoices/record-payment", v3_writing.record_receipt),
    ("POST", "invoices/{object_id}/email", v3_writing.send_invoice),
    ("GET", "invoices/{object_id}/payment-link", v3_writing.payment_link),
    ("POST", "payments", v3_paying.pay),
    ("POST", "payments/bulk", v3_paying.pay_many),
    ("GET", "payments/options", v3_paying.options),
    ("GET", "payments/exchange-rate", v3_paying.exchange_rate),
    ("GET", "funding-accounts/cards/funding-purposes", v3_paying.funding_purposes),
    ("GET", "funding-accounts/cards/{object_id}", v3_money_accounts.card),
    ("POST", "payments/{object_id}/void", v3_paying.void),
    ("POST", "payments/{object_id}/cancel", v3_paying.cancel),
    ("GET", "bill-approvals/policies", v3_approvals.policies),
    ("POST", "bill-approvals/policies", v3_approvals.new_policy),
    ("GET", "bill-approvals/policies/{policy_id}", v3_approvals.policy),
    ("PUT", "bill-approvals/policies/{policy_id}", v3_approvals.edit_policy),
    ("DELETE", "bill-approvals/policies/{policy_id}", v3_approvals.delete_policy),
    ("GET", "bill-approvals/pending-user-approvals", v3_approvals.pending),
    ("POST", "bill-approvals/actions", v3_approvals.act),
    ("GET", "attachments/{file_id}", partial(v3_files.get_file, "attachments")),
    ("DELETE", "attachments/{file_id}", partial(v3_files.delete_file, "attachments")),
    ("GET", "documents/{file_id}", partial(v3_files.get_file, "documents")),
)


def _below() -> Iterator[_Operation]:
    """What hangs below one object of a list."""
    for kind in ("documents", "attachments"):
        path = kind + "/download/{object_id}/{nested_id}"
        yield "GET", path, partial(v3_files.download, kind)
    for kind, parent in (
        ("documents", "bills"),
        ("attachments", "customers"),
        ("attachments", "invoices"),
        ("attachments", "vendors"),
    ):
        path = f"{kind}/{parent}/{{object_id}}"
        yield "GET", path, partial(v3_files.list_files, kind, parent)
        yield "POST", path, partial(v3_files.upload, kind, parent)
        yield "GET", path + "/{nested_id}", partial(v3_files.get_below, kind, parent)
    for part, kind in (("contacts", "contacts"), ("bank-accounts", "customer-bank-accounts")):
        path = f"customers/{{object_id}}/{part}"
        single = path + "/{nested_id}"
        yield "GET", path, partial(v3_below.list_below, kind, "customers")
        yield "POST", path, partial(v3_below.create, kind, "customers")
        yield "GET", single, partial(v3_below.get, kind, "customers")
        yield "PATCH", single, partial(v3_below.edit, kind, "customers")
        yield "PUT", single, partial(v3_below.edit, kind, "customers")
        for word, archived in (("archive", True), ("restore", False)):
            handler = partial(v3_below.set_archived, kind, "customers", archived)
            yield "POST", f"{single}/{word}", handler


def _list(row: ListRow) -> Iterator[_Operation]:
    """A list, its single objects, and what may be written in it."""
    single = row.path + "/{object_id}"
    yield "GET", row.path, partial(v3_reading.list_documents, row)
    yield "GET", single, partial(v3_reading.get_document, row)
    if not row.writable:
        return
    yield "POST", row.path, partial(v3_writing.create, row)
    yield "POST", row.path + "/bulk", partial(v3_writing.create_many, row)
    yield "PATCH", single, partial(v3_writing.edit, row)
    yield "PUT", single, partial(v3_writing.replace, row)
    if row.has_archived:
        yield "POST", single + "/archive", partial(v3_writing.set_archived, row, True)
    if row.has_archived and row.restorable:
        yield "POST", single + "/restore", partial(v3_writing.set_archived, row, False)


def routes(state: SandboxState) -> list[BaseRoute]:
    """Every v3 route; the last one answers any other path with 404 BDC_1121."""

    def route(path: str, handler: Handler, method: str = "GET", needs: str = "session") -> Route:
        return Route(PREFIX + path, Endpoint(state, handler, needs), methods=[method])

    found: list[BaseRoute] = [
        route("login", v3_reading.log_in, "POST", needs=""),
        route("health", v3_reading.health, needs=""),
        *(route(path, handler) for path, handler in v3_money_accounts.READS.items()),
        *(route(path, handler, method) for method, path, handler in v3_seldom.OPERATIONS),
        *(route(path, handler, method) for method, path, handler in _OPERATIONS),
        *(route(path, handler, method) for method, path, handler in _below()),
        *(
            route(path, handler, method)
            for row in LISTS.values()
            for method, path, handler in _list(row)
        ),
    ]
    found.append(
        Route(
            PREFIX + "{rest:path}",
            Endpoint(state, unknown_path, needs=""),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        )
    )
    return found


def unknown_path(call: Call) -> None:
    raise errors.unsupported()
