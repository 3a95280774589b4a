"""Why a list is left out of an import, in words for the person who can change it."""

from __future__ import annotations

from bill_pipeline.bill import errors
from bill_pipeline.bill.lists import BillList

TROUBLE_OF_ALL_V2 = errors.BillUnavailable | errors.MalformedAnswer | errors.SessionLost
_SESSION_OF_V3 = (
    " BILL's v2 took no session of v3; if that lasts, set BILL_PIPELINE_READ_V2=false and each "
    "sync saves the logins."
)


def is_trouble_of_v2(row: BillList, error: errors.BillError) -> bool:
    """Whether the books can be made without ``row``: v2 adds to what v3 says."""
    return row.is_v2 and not isinstance(error, errors.ConnectionRefused | errors.LimitReached)


def why_left_out(error: errors.BillError, *, is_v2_trouble: bool) -> str:
    """What BILL said, and what to do about a whole list; its words may be about one document."""
    if isinstance(error, errors.PermissionMissing) or not errors.refuses_list(error):
        is_session = is_v2_trouble and isinstance(error, errors.SessionLost)
        return str(error) + (_SESSION_OF_V3 if is_session else "")
    return str(
        errors.ListRefused(
            "BILL does not let this list be read",
            client=error.client,
            subject=error.subject,
            code=error.code,
            status=error.status,
        )
    )
