"""The console: the web page an accounting firm works in.

Connections, the review queue and the books, rendered on the server with Starlette and Jinja2.

::

    app.py        puts everything together; routes.py is the table of pages and who may open them
    guard.py      who is asking, may they, and is it really their browser (CSRF, headers)
    database.py   <home>/console.sqlite: users, sessions, audit log; no client's books
    *_pages.py    one file per part of the console
    templates/    one Jinja2 file per page; static/ holds one style sheet and one script

The books are read from the published ledger, which is never locked. ``bill_pipeline.deciding``
alone writes into a client's file and ``history`` alone reads it, both under the client's lock.
Nothing here talks to BILL: ``imports`` and ``books`` do.
"""
