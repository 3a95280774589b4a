"""The one partition dimension: the client. Adding one here by hand is as good as by ``connect``."""

from __future__ import annotations

import dagster as dg

CLIENT_PARTITIONS = dg.DynamicPartitionsDefinition(name="client")

#: The one asset of models that is about the whole firm and has no partition.
FIRM_KNOWLEDGE = dg.AssetKey(["models", "firm_knowledge"])

#: A backfill of a thousand clients becomes forty runs, not a thousand processes: starting a
#: process costs seconds, a client without changes milliseconds. More per run would make the
#: backfill page too coarse to follow and one killed run too dear.
CLIENTS_PER_RUN = 25
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=CLIENTS_PER_RUN)
