"""THE TABLE of what we believe about BILL and BILL does not document.

One row is one belief: what it says, how we came to it, where code rests on it, what happens where
it is not so, and how it can be seen without writing. The look-alike has a switch of the same name.
What is documented, and what nothing rests on, is not here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bill_pipeline.bill.beliefs import of_documents, of_lists, of_times
from bill_pipeline.bill.beliefs.of_lists import BeliefCheck, readable

_READER = "bill_pipeline/bill/list_reader.py"
_READING = "bill_pipeline/bill/import_run.py"
_ANSWERS = "bill_pipeline/bill/responses.py"
_LOGIN = "bill_pipeline/bill/login.py"
_PAGES = "bill_pipeline/bill/pages.py"
_LISTS = "bill_pipeline/bill/lists.py"
_ASKING = "bill_pipeline/bill/page_requests.py"
_STAGING = "transforms/staging"
_RECONCILED = (
    "The daily comparison finds it where it is open or recent, and the weekly one elsewhere."
)


@dataclass(frozen=True)
class Belief:
    """One thing that our code assumes of BILL. ``seen_by`` checks it by reading; where only writing
    could show it, there is none and ``unseen`` says why."""

    name: str
    says: str
    source: str
    used_in: tuple[str, ...]
    otherwise: str  # what happens to the books where it is not so
    seen_by: BeliefCheck | None = None
    unseen: str = ""
    no_switch: str = ""  # why the look-alike cannot be turned


def _token_reads(name: str, table: str, what: str, otherwise: str) -> Belief:
    return Belief(
        name,
        f"A sync token may read {what}.",
        "BILL's table of a token's rights does not name them",
        (_LISTS, _READING),
        f"{otherwise} The list is left out, and every sync says so.",
        readable(table),
    )


_OF_LISTS = (
    Belief(
        "archived_in_lists",
        "A list that is not filtered shows archived documents too.",
        "not documented; public clients point that way",
        (_READER, "bill_pipeline/ingest/change_check.py"),
        "Archived documents are asked for in a pass of their own: more requests.",
        of_lists.archived_in_lists,
    ),
    Belief(
        "undocumented_lists_filter_by_time",
        "Lists without published filter fields can be filtered by updatedTime.",
        "public clients do it",
        (_ASKING, _LISTS),
        "Such a list is read in full each time: more requests.",
        of_lists.undocumented_lists_filter_by_time,
    ),
    Belief(
        "lists_are_sorted_by_time",
        "A list sorted by updatedTime is in that order, so that what changes while it is read "
        "moves to its end.",
        "the sort is documented, edits while paging are not",
        (_READER,),
        "Pages are followed by token, and what changed meanwhile is read again by the next sync.",
        of_lists.lists_are_sorted_by_time,
    ),
    Belief(
        "page_tokens_carry_the_query",
        "A page token leads to the next page of its query even when the query is not repeated.",
        "one public client sends nothing else",
        (_ASKING,),
        "Nothing: the query is repeated, except where BILL refused a part of it halfway.",
        of_lists.page_tokens_carry_the_query,
    ),
    Belief(
        "last_next_page",
        "The last page of a list leaves nextPage out.",
        "an empty text was seen as well",
        (_PAGES, _READER),
        "Nothing: an empty text and null end a list too.",
        of_lists.last_next_page,
    ),
    Belief(
        "invalid_page",
        "A page token that BILL does not know, or no longer, is refused with 400.",
        "not documented",
        (_ASKING,),
        "A read that was interrupted for long may begin anew, or miss a page until the weekly "
        "comparison.",
        of_lists.invalid_page,
    ),
    Belief(
        "list_rows_are_whole",
        "A list shows its documents with all the fields that reading one of them shows.",
        "a public client says that vendors are thinner in lists",
        (_READER, f"{_STAGING}/parties.sql"),
        "Each changed vendor is read by itself: more requests.",
        of_lists.list_rows_are_whole,
    ),
    Belief(
        "empty_fields_are_left_out",
        "A field without a value is left out, not sent as an empty text or the zero id.",
        "documented for v3, otherwise in v2",
        (f"{_STAGING}/bills.sql", f"{_STAGING}/dimensions.sql", "bill_pipeline/bill/stored.py"),
        "Nothing: such an id names nothing.",
        of_lists.empty_fields_are_left_out,
    ),
    Belief(
        "times_name_their_zone",
        "createdTime and updatedTime say that they are UTC.",
        "all samples do",
        ("bill_pipeline/bill/documents.py",),
        "Nothing, if they are UTC all the same. If not, all times are wrong by some hours.",
        of_lists.times_name_their_zone,
    ),
    Belief(
        "v2_lists_show_inactive",
        "v2's lists show what is inactive without being asked for it.",
        "public clients filter it away",
        (_LISTS, f"{_STAGING}/bills.sql"),
        "An archived bill keeps the posting date it had; archived bills are not booked.",
        of_lists.v2_lists_show_inactive,
    ),
)

_OF_SESSIONS = (
    Belief(
        "tokens_log_in_at_v3",
        "A sync token logs in at v3's login.",
        "BILL's pages name v3's and v2's",
        (_LOGIN,),
        "Nothing: v2's login is asked next.",
        of_lists.tokens_log_in_at_v3,
    ),
    Belief(
        "tokens_log_in_at_v2",
        "A sync token that v3's login refuses may log in at v2's.",
        "BILL's pages name v3's and v2's",
        (_LOGIN,),
        "Nothing while v3's login takes the token.",
        unseen="it would take a second login, and logins are few",
    ),
    Belief(
        "session_opens_one_organization",
        "A session reads the one organization it was opened for.",
        "inferred from the login, which names one",
        ("bill_pipeline/registry/session_store.py", _LOGIN),
        "Nothing is read: a login that opens another organization is refused.",
        of_lists.session_opens_one_organization,
        no_switch="a session of another organization is another login",
    ),
    Belief(
        "sessions_serve_both_planes",
        "v2 takes the session that v3 opened.",
        "three public clients depend on it",
        ("bill_pipeline/bill/api.py",),
        "What only v2 has is left out: posting dates, boxes of Form 1099, movements of money. "
        "Every sync says so.",
        of_lists.sessions_serve_both_planes,
    ),
    Belief(
        "missing_documents_are_404",
        "A document that BILL no longer has is answered with 404.",
        "seen by a public client",
        (_ANSWERS, "bill_pipeline/bill/stored.py", "bill_pipeline/ingest/reconciliation.py"),
        "Nothing while the code is BDC_1205, which decides.",
        of_lists.missing_documents_are_404,
    ),
    Belief(
        "limit_status",
        "BILL's limit errors come with their codes, whatever their HTTP status.",
        "public clients expect 422 and 429",
        (_ANSWERS, "bill_pipeline/bill/api.py"),
        "The sync waits, or fails and goes on at the next one.",
        unseen="the limit would have to be reached",
    ),
    Belief(
        "login_error_status",
        "A refused login says so by its code, whatever its HTTP status.",
        "401 and 400 were seen",
        (_ANSWERS, _LOGIN),
        "A person is told to make a new token although BILL had another reason.",
        unseen="a wrong password would have to be sent",
    ),
    _token_reads(
        "tokens_read_payments",
        "payments",
        "payments",
        "Payments and what they pay are missing from the books.",
    ),
    _token_reads(
        "tokens_read_received_payments",
        "received_payments",
        "received payments",
        "Receipts and what they pay are missing from the books.",
    ),
    _token_reads(
        "tokens_read_credit_memos", "credit_memos", "credit memos", "Credit memos are missing."
    ),
    _token_reads(
        "tokens_read_bank_accounts",
        "bank_accounts",
        "the organization's bank accounts",
        "Payments stay in clearing until a person names the ledger accounts.",
    ),
    _token_reads(
        "tokens_read_billing_statements",
        "billing_statements",
        "what BILL itself charged",
        "BILL's fees are missing from the books.",
    ),
    _token_reads(
        "tokens_read_money_movements",
        "money_movements",
        "v2's movements of money",
        "Withdrawals and deposits are assumed from payments and receipts.",
    ),
    Belief(
        "refusals_are_403",
        "What a token may not read is refused with 403.",
        "expected, not documented; its code is unknown",
        (_ANSWERS, _READING),
        "BILL's words decide; one in other words leaves the list out as well.",
        of_lists.refusals_are_403,
    ),
)

_OF_TIMES = (
    Belief(
        "payments_leave_document_times",
        "Paying a bill or invoice does not move its updatedTime.",
        "not documented",
        (_READING,),
        "Nothing: what a payment pays is read again either way.",
        of_times.payments_leave_document_times,
    ),
    Belief(
        "approvals_move_bill_times",
        "Approving a bill moves its updatedTime.",
        "not documented",
        (_READER, f"{_STAGING}/bills.sql"),
        f"A sync does not see an approval. {_RECONCILED}",
        of_times.approvals_move_bill_times,
    ),
    Belief(
        "applications_move_credit_times",
        "Using a credit moves the credit's updatedTime.",
        "not documented",
        (_READER, f"{_STAGING}/applications.sql"),
        f"A vendor credit is read again with its payment; of a credit memo: {_RECONCILED}",
        of_times.applications_move_credit_times,
    ),
    Belief(
        "names_stay_on_documents",
        "Bills and payments keep the name that their vendor had.",
        "not documented",
        (f"{_STAGING}/bills.sql",),
        "Nothing: names come from the vendor.",
        of_times.names_stay_on_documents,
    ),
    Belief(
        "payments_are_never_removed",
        "Payments and received payments are voided or canceled, never deleted.",
        "inferred: BILL documents no way to delete one",
        ("bill_pipeline/bill/lists.py", "bill_pipeline/ingest/reconciliation.py"),
        "The weekly comparison asks for what is no longer listed, and reverses it.",
        unseen="what was deleted leaves nothing to see",
    ),
    Belief(
        "reissues_are_new_payments",
        "A payment that is void and issued again is a second payment.",
        "inferred",
        (f"{_STAGING}/payments.sql", "transforms/ledger/settlements.sql"),
        "A reissued payment stays void in the books, and the bill open.",
        unseen="which later payment is the second one is said nowhere",
    ),
)

_OF_DOCUMENTS = (
    Belief(
        "payment_states_are_known",
        "Every payment is in one of the states that BILL's page lists.",
        "the page may list a few more",
        (f"{_STAGING}/payments.sql",),
        "BILL's older status decides; a payment with neither waits in the questions.",
        of_documents.payment_states_are_known,
    ),
    Belief(
        "receipt_states_are_known",
        "Every received payment is in one of the states that BILL's OpenAPI lists.",
        "read from it by a public client",
        (f"{_STAGING}/received_payments.sql",),
        "Such a receipt is not booked, and its invoice differs from BILL's: a check says so.",
        of_documents.receipt_states_are_known,
    ),
    Belief(
        "credits_come_on_top",
        "The amount a payment has for a bill is cash alone; vendor credits come on top of it.",
        "inferred",
        ("transforms/ledger/settlements.sql", f"{_STAGING}/payments.sql"),
        "Bills paid with a credit differ from BILL's open amount: a check says so.",
        of_documents.credits_come_on_top,
    ),
    Belief(
        "bill_id_means_one_bill",
        "A payment names a bill at its top only when it pays no other.",
        "inferred",
        (f"{_STAGING}/payments.sql",),
        "Nothing while the payment lists its bills.",
        of_documents.bill_id_means_one_bill,
    ),
    Belief(
        "invoice_lines_have_price_and_quantity",
        "The lines of invoices say price and quantity, and no amount.",
        "BILL's samples do",
        ("transforms/categorized/document_lines.sql", f"{_STAGING}/invoices.sql"),
        "Nothing: an amount is taken where a line says one.",
        of_documents.invoice_lines_have_price_and_quantity,
    ),
    Belief(
        "exchange_rates_are_home_per_foreign",
        "An exchange rate is home currency for one of the document's currency.",
        "not documented",
        (f"{_STAGING}/invoices.sql", f"{_STAGING}/credit_memos.sql", f"{_STAGING}/bills.sql"),
        "Foreign invoices are worth the wrong amount; bills say their worth themselves.",
        of_documents.exchange_rates_are_home_per_foreign,
    ),
    Belief(
        "receipts_tell_no_processing_fee",
        "Received payments do not say what BILL keeps back from the deposit.",
        "no sample does",
        (f"{_STAGING}/received_payments.sql", f"{_STAGING}/processing_fees_found.sql"),
        "Better books: a fee that BILL tells is booked.",
        of_documents.receipts_tell_no_processing_fee,
    ),
    Belief(
        "uses_have_no_dates",
        "The uses of a credit are listed without a day.",
        "BILL's samples do",
        (f"{_STAGING}/applications.sql",),
        "Nothing is wrong, but a day that BILL tells is not used.",
        of_documents.uses_have_no_dates,
    ),
    Belief(
        "withdrawals_are_negative",
        "v2 shows what BILL takes from the bank for payables as a negative movement.",
        "a help page of BILL's",
        (f"{_STAGING}/money_movements.sql",),
        "Cash grows with every withdrawal, and clearing does not empty: its report says so.",
        of_documents.withdrawals_are_negative,
    ),
    Belief(
        "form_1099_codes",
        "v2's code 1 of an account's form is 1099-MISC, and 2 is 1099-NEC.",
        "inferred",
        (f"{_STAGING}/chart_of_accounts.sql",),
        "The two forms are exchanged in the 1099 report.",
        unseen="the codes are explained nowhere; compare an account in BILL's web application",
    ),
)

BELIEFS: dict[str, Belief] = {
    belief.name: belief for belief in (*_OF_SESSIONS, *_OF_LISTS, *_OF_TIMES, *_OF_DOCUMENTS)
}
