"""An import where BILL reads otherwise than believed: the same documents, or those of a full read.

What is otherwise in the documents themselves is tried on whole books, in ``tests/journey``.
"""

from __future__ import annotations

import pytest

from bill_pipeline.sandbox.switches import the_other_way
from tests.imports.conftest import MakeClient

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

#: Beliefs about how BILL is read. Every document must arrive, whichever way they are.
READING = (
    "archived_in_lists",
    "undocumented_lists_filter_by_time",
    "lists_are_sorted_by_time",
    "page_tokens_carry_the_query",
    "last_next_page",
    "invalid_page",
    "tokens_log_in_at_v3",
    "tokens_log_in_at_v2",
    "refusals_are_403",
    "missing_documents_are_404",
    "limit_status",
    "login_error_status",
    "payments_leave_document_times",
)
#: Where a change moves no updatedTime, a sync cannot see it: the lists that a full read mends.
FOUND_BY_A_FULL_READ = {
    "approvals_move_bill_times": {"bills"},
    "applications_move_credit_times": {"credit_memos"},
    "names_stay_on_documents": {"bills", "payments"},
}


@pytest.mark.parametrize("name", [*READING, *FOUND_BY_A_FULL_READ])
def test_every_document_arrives_although_bill_is_otherwise(
    make_client: MakeClient, name: str
) -> None:
    client = make_client(documents=300, **{name: the_other_way(name)})
    client.sync(documents_per_chunk=100)
    client.live(20)
    client.sync()
    unseen = set(client.differences())
    assert unseen <= FOUND_BY_A_FULL_READ.get(name, set())
    if name in FOUND_BY_A_FULL_READ:
        client.sync(full=True)
        assert client.differences() == {}
