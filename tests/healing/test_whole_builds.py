"""What a sync built for changed documents alone the next day's first sync builds as a whole."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from tests.healing.test_wrong_clock import Ahead, clock_is, firm, new_bill, sync
from tests.journey.firm import Firm

pytestmark = pytest.mark.rotating(days=4)

__all__ = ["clock_is", "firm"]

FORGOTTEN = "select count(*) from ledger.documents where document_id = ?"


def test_a_row_that_is_wrong_in_no_changed_document_lasts_a_day_at_most(
    firm: Firm, clock_is: Ahead
) -> None:
    sync(firm)
    path = str(firm.home.client_file(firm.client))
    with duckdb.connect(path) as books:
        (lost,) = books.execute("select min(document_id) from ledger.documents").fetchone() or ()
        books.execute("delete from ledger.documents where document_id = ?", [lost])
    new_bill(firm, "111.11")
    sync(firm)
    with duckdb.connect(path, read_only=True) as books:
        assert books.execute(FORGOTTEN, [lost]).fetchone() == (0,)
    clock_is(timedelta(days=1))
    sync(firm)
    with duckdb.connect(path, read_only=True) as books:
        assert books.execute(FORGOTTEN, [lost]).fetchone() == (1,)
