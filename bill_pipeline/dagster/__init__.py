"""The Dagster side: what an analyst sees and clicks, and what keeps the books fresh by itself.

This is the only room that imports dagster. It decides nothing about accounting: it names the
tables as assets, calls ``books`` room by room, and reports what happened::

    definitions   the code location: everything below, put together
    partitions    one partition per client
    table_specs   each SQL file and each BILL list as an asset that explains itself
    rooms         one step per room, for one client or for many in one run
    syncs         the open sync that the steps of one run share
    evidence      what a run reports: row counts, sums, samples, check results
    charts        pictures for people who would rather look than read
    fleet         many due clients in one run, one client's failure never another's
    freshness     when a client is due, when it is stale
    sensors       new clients, due clients, alerts
    schedules     nightly, weekly and monthly work
    model_assets  training set → challenger → evaluation → promotion
    statements    one client's monthly statement as a workbook
    instance      dagster.yaml, written into the home
"""
