"""Runs in parsons' own environment: calls methods of its ``BillCom`` as asked on stdin.

Request: ``login`` (the constructor's arguments) and ``calls`` ([method, arguments] pairs).
Answer, the last line of stdout: ``answers``, one per call, or ``error`` with its type and text.
Nothing of the project is imported here, and nothing of the client is changed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from parsons import Table
from parsons.bill_com import BillCom


def plain(answer: Any) -> Any:
    return [dict(row) for row in answer] if isinstance(answer, Table) else answer


def main() -> None:
    request = json.load(sys.stdin)
    try:
        client = BillCom(**request["login"])
        answers = [plain(getattr(client, name)(**given)) for name, given in request["calls"]]
    except Exception as error:  # noqa: BLE001 - whatever the client raises is the answer
        print(json.dumps({"error": {"type": type(error).__name__, "text": str(error)}}))
    else:
        print(json.dumps({"answers": answers}))


main()
