"""The Dagster side: what an analyst sees and clicks, and what keeps the books fresh by itself.

This is the only layer that imports dagster. It decides nothing about accounting: it names the
tables as assets, calls ``client_sync`` layer by layer, and reports what happened::

    definitions   the code location: everything below, put together
    partitions    one partition per client
    table_specs   each SQL file as an asset that explains itself; column_sources: where its
                  columns come from
    raw_specs     BILL's lists, the archive, decisions, publication; raw_columns: their columns
    client_work   one layer's work for one client, and its asset events
    layers        one step per layer, for one client or for many in one run
    syncs         the open sync that the steps of one run share
    asset_events  what a run reports: row counts, sums, samples, check results
    charts        pictures of reports and of a model's evaluation
    fleet         many due clients in one run, one client's failure never another's
    idle_clients  who has news at BILL, in two or three requests each
    freshness     when a client is due, when it is stale; poll_schedule: which lists to ask for
    sensors       new clients, due clients, alerts (alerts), dead runs (run_locks)
    schedules     nightly, weekly and monthly work; jobs: the named buttons
    model_assets  training set → challenger → evaluation → promotion; trials: who is better
    statements    one client's monthly statement as a workbook
    instance      dagster.yaml, written into the home; services: the processes over it
    preview       the parts of Dagster that may still change
"""
