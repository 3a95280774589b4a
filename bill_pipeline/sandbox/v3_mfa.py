"""The v3 plane's MFA: how a person's session becomes trusted. Sync tokens have none of it."""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call


def challenge(call: Call) -> dict[str, Any]:
    """``POST /v3/mfa/challenge``: a code is on its way."""
    return {"challengeId": call.state.trust.challenge(call.signed_in_person())}


def validate(call: Call) -> dict[str, Any]:
    """``POST /v3/mfa/challenge/validate``: the code makes the session trusted."""
    body = call.json()
    remember_id = call.state.trust.answer(
        call.signed_in_person(),
        str(body.get("challengeId", "")),
        str(body.get("token", "")),
        str(body.get("device", "")),
    )
    return {"rememberMeId": remember_id} if body.get("rememberMe", True) else {}


def step_up(call: Call) -> dict[str, Any]:
    """``POST /v3/mfa/step-up``: trusted by a device that is remembered."""
    session, body = call.signed_in_person(), call.json()
    remember_id, device = str(body.get("rememberMeId", "")), str(body.get("device", ""))
    if not call.state.trust.step_up(session, remember_id, device):
        raise errors.wrong_mfa("BDC_1356")
    return {"trusted": True}


def phones(call: Call) -> dict[str, Any]:
    """``GET /v3/mfa/phones``: where the code goes."""
    call.signed_in_person()
    return {"results": [{"type": "MOBILE", "last4digits": "0100", "primary": True}]}
