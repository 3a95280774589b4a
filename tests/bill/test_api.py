"""What BillApi retries, for how long, and what it says when it gives up."""

from __future__ import annotations

import pickle
import threading

import httpx
import pytest

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import (
    REQUEST_SECONDS,
    TRIES_WHEN_CROWDED,
    TRIES_WHEN_NEVER_REACHED,
    TRIES_WHEN_UNAVAILABLE,
    BillApi,
)
from bill_pipeline.bill.budget import HOUR, SharedBudget
from bill_pipeline.bill.sessions import MemorySessions
from tests.bill.fake_bill import DEV_KEY, PASSWORD, FakeBill, FakeClock, error, fake_api, page


def test_one_session_serves_many_requests_and_many_runs() -> None:
    bill, sessions = FakeBill(page(), page(), page()), MemorySessions()
    with fake_api(bill, sessions=sessions) as api:
        api.get("/v3/bills", subject="bills")
        api.get("/v3/bills", subject="bills")
    with fake_api(bill, sessions=sessions) as api:
        api.get("/v3/bills", subject="bills")
    assert bill.logins == 1
    assert [request.headers.get("sessionId") for request in bill.requests[1:]] == ["session-1"] * 3


def test_a_lost_session_is_opened_again_once_and_the_request_repeated() -> None:
    bill = FakeBill(error(401, "BDC_1109"), page({"id": "b1"}))
    with fake_api(bill) as api:
        assert api.get("/v3/bills", subject="bills")["results"] == [{"id": "b1"}]
    assert bill.logins == 2


def test_a_session_that_is_lost_at_once_again_does_not_cause_a_storm_of_logins() -> None:
    bill = FakeBill(*[error(401, "BDC_1109")] * 5)
    with fake_api(bill) as api, pytest.raises(errors.SessionLost):
        api.get("/v3/bills", subject="bills")
    assert bill.logins == 2


@pytest.mark.parametrize("status", [403, 422, 429, 503])
def test_a_crowded_request_backs_off_whatever_its_status(status: int) -> None:
    clock = FakeClock()
    bill = FakeBill(error(status, "BDC_1322"), error(status, "BDC_1322"), page())
    with fake_api(bill, clock) as api:
        api.get("/v3/bills", subject="bills")
    assert len(clock.slept) == 2
    assert all(0 < pause <= 24 for pause in clock.slept)


@pytest.mark.parametrize("status", [403, 422, 429, 503])
def test_a_spent_hour_waits_for_the_next_one_whatever_its_status(status: int) -> None:
    clock = FakeClock(500_000 * HOUR + 1800)  # half past
    bill = FakeBill(error(status, "BDC_1144"), page())
    with fake_api(bill, clock) as api:
        api.get("/v3/bills", subject="bills")
    assert 500_001 * HOUR <= clock.now < 500_001 * HOUR + 10


def test_an_hour_that_bill_begins_late_costs_minutes_and_not_another_hour() -> None:
    clock = FakeClock(500_000 * HOUR + 20)  # our hour just began
    bill = FakeBill(error(429, "BDC_1144"), error(429, "BDC_1144"), page())
    with fake_api(bill, clock) as api:
        api.get("/v3/bills", subject="bills")
    assert clock.now < 500_000 * HOUR + 300


def test_an_impatient_caller_gets_the_hourly_limit_instead_of_a_wait() -> None:
    clock = FakeClock(500_000 * HOUR + 1800)
    with (
        fake_api(FakeBill(error(429, "BDC_1144")), clock, patience_seconds=60) as api,
        pytest.raises(errors.HourlyLimit, match=r"^acme: .*next full hour"),
    ):
        api.get("/v3/bills", subject="bills")
    assert clock.now < 500_000 * HOUR + 1900


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500, html="<html>gateway</html>"),
        httpx.Response(503, json={"message": "busy"}),
        httpx.Response(200, text='{"results": [{"id": "b'),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        error(500, "BDC_1001"),
    ],
    ids=["html", "json", "cut", "page", "refused", "timeout", "closed", "system"],
)
def test_passing_trouble_is_retried_with_growing_pauses(trouble: httpx.Response) -> None:
    clock = FakeClock()
    with fake_api(FakeBill(trouble, trouble, trouble, page({"id": "b1"})), clock) as api:
        assert api.get("/v3/bills", subject="bills")["results"]
    assert len(clock.slept) == 3
    for number, pause in enumerate(clock.slept):
        assert 0.5 * 2**number <= pause <= 1.5 * 2**number


def test_lasting_trouble_ends_and_names_client_list_and_remedy() -> None:
    bill = FakeBill(*[httpx.Response(502, html="<html>")] * 20)
    with fake_api(bill) as api, pytest.raises(errors.BillUnavailable) as caught:
        api.get("/v3/bills", subject="bills")
    assert len(bill.requests) - bill.logins == TRIES_WHEN_UNAVAILABLE
    assert "acme" in str(caught.value)
    assert "bills" in str(caught.value)
    assert "the next sync continues" in str(caught.value)


def test_a_bill_that_was_never_reached_is_given_up_soon_and_by_all_threads_at_once() -> None:
    bill, clock = FakeBill(), FakeClock()
    bill.login_answers = [httpx.ConnectError("refused")] * 30
    failures: list[errors.BillError] = []

    def ask(api: BillApi) -> None:
        with pytest.raises(errors.BillUnreachable, match="cannot be reached") as caught:
            api.get("/v3/bills", subject="bills")
        failures.append(caught.value)

    with fake_api(bill, clock) as api:
        threads = [threading.Thread(target=ask, args=(api,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(failures) == 3
    assert len(bill.requests) == TRIES_WHEN_NEVER_REACHED
    assert sum(clock.slept) < 3


def test_a_bill_that_answered_before_is_given_its_time() -> None:
    trouble = [httpx.ConnectError("refused")] * 4
    bill = FakeBill(page(), *trouble, page({"id": "1"}))
    with fake_api(bill) as api:
        api.get("/v3/bills", subject="bills")
        assert api.get("/v3/bills", subject="bills")["results"] == [{"id": "1"}]


def test_lasting_crowding_ends() -> None:
    bill = FakeBill(*[error(429, "BDC_1322")] * 20)
    with fake_api(bill) as api, pytest.raises(errors.ConcurrencyLimit):
        api.get("/v3/bills", subject="bills")
    assert len(bill.requests) - bill.logins == TRIES_WHEN_CROWDED


def test_an_answer_that_drips_forever_is_given_up() -> None:
    clock = FakeClock()

    class Drip(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            while True:
                clock.now += REQUEST_SECONDS / 10
                yield b" "

    bill = FakeBill(*[httpx.Response(200, stream=Drip()) for _ in range(9)])
    with fake_api(bill, clock) as api, pytest.raises(errors.BillUnavailable, match="did not end"):
        api.get("/v3/bills", subject="bills")


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("BDC_1101", "Invalid username or password.", errors.LoginRefused),
        ("BDC_1102", "Invalid developer key.", errors.DeveloperKeyRefused),
        ("BDC_1105", "API is not enabled for this organization.", errors.ApiNotEnabled),
        ("BDC_1205", "Object not found: 00802ABC", errors.UnknownOrganization),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_is_never_retried_and_says_what_to_do(
    code: str, message: str, kind: type[errors.BillError], status: int
) -> None:
    clock, bill = FakeClock(), FakeBill()
    bill.login_answers = [error(status, code, message) for _ in range(9)]
    with fake_api(bill, clock) as api, pytest.raises(kind) as caught:
        api.get("/v3/bills", subject="bills")
    assert clock.slept == []
    assert bill.logins <= 3  # v3, v2, and one question which organizations the token opens
    assert kind.remedy in str(caught.value)


def test_a_refused_token_is_asked_for_once_even_by_many_threads() -> None:
    bill = FakeBill()
    bill.login_answers = [error(401, "BDC_1101", "Invalid username or password.")] * 30
    refusals: list[errors.BillError] = []

    def ask(api: BillApi) -> None:
        try:
            api.get("/v3/bills", subject="bills")
        except errors.LoginRefused as refusal:
            refusals.append(refusal)

    with fake_api(bill) as api:
        threads = [threading.Thread(target=ask, args=(api,)) for _ in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refusals) == 9
    assert bill.logins == 3


def test_a_good_token_for_another_organization_is_told_from_a_bad_one() -> None:
    bill = FakeBill()
    refused = error(401, "BDC_1101", "Invalid username or password.")
    organizations = {"response_status": 0, "response_data": [{"orgId": "00802OTHER"}]}
    bill.login_answers = [refused, refused, httpx.Response(200, json=organizations)]
    with fake_api(bill) as api, pytest.raises(errors.UnknownOrganization, match="00802ABC"):
        api.log_in()


def test_a_token_that_only_v2_accepts_logs_in_there() -> None:
    bill = FakeBill(page({"id": "b1"}))
    v2 = {"response_status": 0, "response_data": {"sessionId": "from-v2"}}
    bill.login_answers = [error(401, "BDC_1101"), httpx.Response(200, json=v2)]
    with fake_api(bill) as api:
        api.get("/v3/bills", subject="bills")
    assert bill.requests[-1].headers["sessionId"] == "from-v2"


def test_a_new_token_does_not_use_the_session_of_the_old_one() -> None:
    sessions = MemorySessions()
    first, second = FakeBill(page()), FakeBill(page())
    with fake_api(first, sessions=sessions) as api:
        api.get("/v3/bills", subject="bills")
    with fake_api(second, sessions=sessions) as api:
        api.connection = api.connection.model_copy(update={"token_name": "new token"})
        api.get("/v3/bills", subject="bills")
    assert second.logins == 1


def test_v2_errors_with_status_200_are_errors() -> None:
    data = {"error_code": "BDC_1109", "error_message": "Session is invalid.  Please log in."}
    lost = httpx.Response(200, json={"response_status": 1, "response_data": data})
    good = httpx.Response(200, json={"response_status": 0, "response_data": []})
    bill = FakeBill(lost, good)
    with fake_api(bill) as api:
        assert api.call_v2("List/Bill", {"start": 0}, subject="bill_details") == []
    assert bill.logins == 2


@pytest.mark.parametrize("answer", [error(403, "BDC_9999"), error(422, "BDC_1", "no permission")])
def test_a_missing_permission_is_not_retried(answer: httpx.Response) -> None:
    clock = FakeClock()
    with fake_api(FakeBill(answer), clock) as api, pytest.raises(errors.PermissionMissing):
        api.get("/v3/users", subject="users")
    assert clock.slept == []


def test_no_secret_is_in_any_error_or_representation() -> None:
    bill = FakeBill(*[httpx.ConnectError(f"failed with {PASSWORD} {DEV_KEY} session-1")] * 9)
    with fake_api(bill) as api, pytest.raises(errors.BillUnavailable) as caught:
        api.get("/v3/bills", subject="bills")
    session = api.log_in()
    shown = f"{caught.value!s} {caught.value!r} {api.connection!r} {session!r}"
    for secret in (PASSWORD, DEV_KEY, "session-1"):
        assert secret not in shown
    assert not any(PASSWORD in str(request.url) for request in bill.requests)


def test_an_error_survives_the_way_to_another_process() -> None:
    before = errors.LoginRefused("BILL refused the token", client="acme", code="BDC_1101")
    after = pickle.loads(pickle.dumps(before))  # noqa: S301 - our own bytes
    assert (str(after), after.client, after.code) == (str(before), "acme", "BDC_1101")


def test_every_request_is_counted_in_the_budget() -> None:
    clock = FakeClock()
    budget = SharedBudget(clock=clock)
    with fake_api(FakeBill(page(), page()), clock, budget=budget) as api:
        api.get("/v3/bills", subject="bills")
        api.get("/v3/bills", subject="bills")
        assert budget.used(api.connection.dev_key_hash) == (3, 1)
        assert api.requests == 3
