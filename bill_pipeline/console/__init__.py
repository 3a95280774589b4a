"""The console: the web page an accounting firm works in.

Connections, the review queue and the books, rendered on the server with Starlette and Jinja2.

::

    app.py         puts everything together; routes.py is the table of pages and who may open them
    auth/          who is asking, may they, and is it really their browser (CSRF, headers)
    pages/         one file per part of the console
    parts/         what pages are made of: forms, formats, charts, periods
    queries/       what pages read, from the published ledger, which is never locked
    dagster_proxy/ Dagster's page under the console's address
    database.py    <home>/console.sqlite: users, sessions, audit log; no client's books
    templates/     one Jinja2 file per page; static/ holds one style sheet and one script

``actions.deciding`` alone writes into a client's file and ``queries.history`` alone reads it, both
under the client's lock. Nothing here talks to BILL: ``ingest`` does.
"""
