"""What an error says of an answer: short, visible, and nothing of what the server was told."""

from __future__ import annotations

import json
import pickle
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr, ValidationError

from bill_pipeline.bill import errors
from bill_pipeline.bill.connection import Connection, is_near
from bill_pipeline.bill.responses import Response, read_answer, read_v2_answer

SECRETS = ("CANARY-name@example.com", 'CANARY "pass" & é', "CANARY+key/=")


def test_no_error_says_back_what_a_server_was_told() -> None:
    for secret in SECRETS:
        for told in (secret, quote(secret), quote_plus(secret), json.dumps(secret)):
            error = errors.MalformedAnswer(
                f"It said {told}", subject=told, code="BDC_1", remedy=f"Ask {told}."
            )
            error.without(SECRETS)
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - as between our processes
            assert "CANARY" not in f"{error}{error.what}{error.subject}{error.remedy}{again}"


def error_of(read: Any, answer: Response, subject: str) -> errors.BillError | None:
    """What ``read`` raises, if anything."""
    try:
        read(answer, client="acme", subject=subject, is_login=True)
    except errors.BillError as error:
        return error
    return None


@pytest.mark.slow
@pytest.mark.parametrize("read", [read_answer, read_v2_answer])
@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_no_error_is_longer_than_people_read(read: object, status: int) -> None:
    long = "x\n\x1b[31m" * 500_000
    fields = {"code": long, "message": long, "error_code": long, "error_message": long}
    bodies = (
        [fields], fields, {"response_status": 1, "response_message": long, "response_data": long},
        {"response_status": long, "response_data": fields}, [{**fields, "severity": 1,
                                                              "code": "BDC_" + long}],
    )  # fmt: skip
    for body in bodies:
        answer = Response(status, json.dumps(body).encode())
        error = error_of(read, answer, long)
        assert len(str(error)) < 1_500
        assert "\n" not in str(error)
        assert "\x1b" not in str(error)
        assert error is None or error.code == ""
    assert errors.LoginRefused("No", code="BDC_1101").code == "BDC_1101"


NEAR = ("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")
FAR = (
    "metadata", "sandbox", "134744072", "2130706433", "127.1", "0x7f000001", "2001:db8::1",
    "10.0.0.1", "0", "::", "fe80::1", "::ffff:8.8.8.8", "localhost.example", "a.localhost.b",
    "",
)  # fmt: skip


def test_only_this_machine_is_near() -> None:
    assert [host for host in NEAR if not is_near(host)] == []
    assert [host for host in FAR if is_near(host)] == []
    for host in (*NEAR, *FAR):
        address = f"http://[{host}]/connect" if ":" in host else f"http://{host}/connect"

        def made(address: str = address) -> Connection:
            return Connection(
                organization_id="o", token_name="t", token_password=SecretStr("p"),
                dev_key=SecretStr("k"), base_url=address, v2_url=address,
            )  # fmt: skip

        if host in NEAR:
            assert made().is_local
        else:
            with pytest.raises(ValidationError, match="must be reached by https"):
                made()
