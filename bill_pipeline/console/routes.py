"""The table of pages: method, address, view, and what one must be allowed to open it.

A new page is a row here. ``{client}`` in an address is checked against what the user may see, so
every page of a client's books carries it; the tests walk this table as every role.
"""

from __future__ import annotations

from bill_pipeline.console.auth.access import Page
from bill_pipeline.console.auth.users import Permission
from bill_pipeline.console.pages import account as account_pages
from bill_pipeline.console.pages import assets as asset_pages
from bill_pipeline.console.pages import book_settings as settings_pages
from bill_pipeline.console.pages import books as books_pages
from bill_pipeline.console.pages import closing as closing_pages
from bill_pipeline.console.pages import connect as connect_pages
from bill_pipeline.console.pages import connections as connections_pages
from bill_pipeline.console.pages import downloads as downloads_pages
from bill_pipeline.console.pages import ledger as ledger_pages
from bill_pipeline.console.pages import many_clients as many_clients_pages
from bill_pipeline.console.pages import parties as parties_pages
from bill_pipeline.console.pages import reports as report_pages
from bill_pipeline.console.pages import retyped as retyped_pages
from bill_pipeline.console.pages import review as review_pages
from bill_pipeline.console.pages import rules as rules_pages
from bill_pipeline.console.pages import split as split_pages

_ANYONE, _SIGNED_IN, _READ, _REVIEW, _ADMINISTER = Permission

PAGES: tuple[Page, ...] = (
    Page("GET", "/sign-in", account_pages.sign_in_page, _ANYONE),
    Page("POST", "/sign-in", account_pages.sign_in, _ANYONE, hashes=True),
    Page("POST", "/sign-out", account_pages.sign_out, _SIGNED_IN),
    Page("GET", "/account", account_pages.account_page, _SIGNED_IN),
    Page("POST", "/account", account_pages.change_own_password, _SIGNED_IN, hashes=True),
    Page("GET", "/users", account_pages.users_page, _ADMINISTER),
    Page("POST", "/users", account_pages.add_user, _ADMINISTER, hashes=True),
    Page("POST", "/users/all-clients/seen", account_pages.seen_all_clients, _ADMINISTER),
    Page("POST", "/users/{name}", account_pages.change_user, _ADMINISTER, hashes=True),
    Page("GET", "/audit", account_pages.audit_page, _ADMINISTER),
    Page("GET", "/", connections_pages.start_page, _READ),
    Page("GET", "/clients", connections_pages.connections, _READ),
    Page("GET", "/connect", connect_pages.connect_page, _ADMINISTER),
    Page("POST", "/connect", connect_pages.connect, _ADMINISTER),
    Page("GET", "/connect/many", many_clients_pages.connect_many_page, _ADMINISTER),
    Page("POST", "/connect/many", many_clients_pages.connect_many, _ADMINISTER),
    Page("GET", "/connect/many/{batch}", many_clients_pages.batch_page, _ADMINISTER),
    Page("GET", "/clients/{client}", connections_pages.client_page, _READ),
    Page("GET", "/clients/{client}/progress", connections_pages.progress, _READ),
    Page("GET", "/clients/{client}/reconnect", connect_pages.reconnect_page, _ADMINISTER),
    Page("POST", "/clients/{client}/reconnect", connect_pages.reconnect, _ADMINISTER),
    Page("POST", "/clients/{client}/sync", connections_pages.sync_now, _REVIEW),
    Page("POST", "/clients/{client}/pause", connections_pages.pause, _ADMINISTER),
    Page("POST", "/clients/{client}/resume", connections_pages.resume, _ADMINISTER),
    Page("GET", "/clients/{client}/disconnect", connections_pages.disconnect_page, _ADMINISTER),
    Page("POST", "/clients/{client}/disconnect", connections_pages.disconnect, _ADMINISTER),
    Page("GET", "/review", review_pages.firm_queue, _READ),
    Page("POST", "/review", review_pages.decide, _REVIEW),
    Page("GET", "/clients/{client}/review", review_pages.client_queue, _READ),
    Page("GET", "/clients/{client}/review/group", review_pages.group_page, _READ),
    Page("POST", "/clients/{client}/undo/{moment}", review_pages.undo, _REVIEW),
    Page("POST", "/clients/{client}/lines/{transaction}", review_pages.change_line, _REVIEW),
    Page("GET", "/clients/{client}/lines/{transaction}", ledger_pages.line_page, _READ),
    Page("GET", "/clients/{client}/lines/{transaction}/split", split_pages.split_page, _REVIEW),
    Page("POST", "/clients/{client}/lines/{transaction}/split", split_pages.split_line, _REVIEW),
    Page("GET", "/clients/{client}/trial-balance", books_pages.trial_balance, _READ),
    Page("GET", "/clients/{client}/profit-and-loss", books_pages.profit_and_loss, _READ),
    Page("GET", "/clients/{client}/balance-sheet", books_pages.balance_sheet, _READ),
    Page("GET", "/clients/{client}/payables", books_pages.payables, _READ),
    Page("GET", "/clients/{client}/receivables", books_pages.receivables, _READ),
    Page("GET", "/clients/{client}/reports", report_pages.reports, _READ),
    Page("GET", "/clients/{client}/reports/{report}", report_pages.report, _READ),
    Page("GET", "/clients/{client}/general-ledger", ledger_pages.general_ledger, _READ),
    Page("GET", "/clients/{client}/entries/{entry}", ledger_pages.entry_page, _READ),
    Page("GET", "/clients/{client}/documents/{type}/{document}", ledger_pages.document_page, _READ),
    Page("GET", "/clients/{client}/assets", asset_pages.assets, _READ),
    Page("GET", "/clients/{client}/assets/{asset}", asset_pages.asset, _READ),
    Page("GET", "/clients/{client}/close", closing_pages.close_page, _READ),
    Page("POST", "/clients/{client}/close", closing_pages.close_month, _REVIEW),
    Page("POST", "/clients/{client}/reopen", closing_pages.reopen_month, _REVIEW),
    Page("POST", "/clients/{client}/retyped", retyped_pages.decide_retyped, _REVIEW),
    Page("GET", "/clients/{client}/rules", rules_pages.rules_page, _READ),
    Page("POST", "/clients/{client}/rules", rules_pages.add_rule, _REVIEW),
    Page("POST", "/clients/{client}/rules/{rule}", rules_pages.change_rule, _REVIEW),
    Page("GET", "/clients/{client}/parties", parties_pages.parties_page, _READ),
    Page("POST", "/clients/{client}/parties", parties_pages.decide_parties, _REVIEW),
    Page("POST", "/clients/{client}/parties/likely", parties_pages.likely_pairs, _REVIEW),
    Page("GET", "/clients/{client}/settings", settings_pages.settings_page, _READ),
    Page("POST", "/clients/{client}/settings/policies", settings_pages.save_policies, _REVIEW),
    Page("POST", "/clients/{client}/settings/role", settings_pages.save_role, _REVIEW),
    Page(
        "POST", "/clients/{client}/settings/opening-balances", settings_pages.save_opening, _REVIEW
    ),
    Page("GET", "/clients/{client}/download/books/{format}", downloads_pages.download_books, _READ),
    Page("GET", "/clients/{client}/download/{report}", report_pages.download_report, _READ),
)
