"""bill-pipeline: the autonomous general ledger for companies on BILL.

Data flows one way, and every room knows only the rooms before it::

    BILL ─► raw ─► staging ─► categorized ─► ledger ─► reports ─► published
            bill/  transforms/ categorize.py  transforms/          publish.py
                               + models/

``bill``        talks HTTP to BILL and turns its lists into a dlt source; no DuckDB, no Dagster
``sandbox``     a BILL look-alike on localhost; imports nothing else of this package
``settings``    the only reader of environment variables and configuration files
``clients``     the registry of connected clients; ``vault`` seals their tokens
``warehouse``   one DuckDB file per client; ``transforms`` reads the SQL files it runs
``books``       brings one client's books up to date, room by room
``publish``     the analysts' read-only ledger
``dagster``     the only place that imports dagster
``cli``         the ``bill-pipeline`` command: parse, call, print

``transforms/`` (top level) is SQL and nothing else; ``models/`` is statistics and nothing else.
``tests/test_house.py`` enforces the import rule.
"""

__version__ = "0.2.0"
