"""A task for processes of their own, which find it by this module's name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from bill_pipeline.dagster.workers import Outcome


@dataclass(frozen=True)
class Deadly:
    """In one client's process the machine ends it, as for a library's fault or for its memory."""

    victim: str

    def of(self, client: str) -> Outcome:
        if client == self.victim:
            os._exit(9)
        return Outcome(client)
