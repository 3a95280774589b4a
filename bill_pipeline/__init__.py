"""bill-pipeline: the autonomous general ledger for companies on BILL.

Data flows one way, and each folder knows only those before it; ``tests/test_layers.py`` holds the
order::

    BILL ─► raw ─► staging ─► categorized ─► ledger ─► reports ─► published
            ingest/  ── transforms/, run by warehouse/ ──         publishing/
                          categorization/ + models/

``runtime``         signals, processes, what a full disk says
``bill``            talks HTTP to BILL and turns its lists into a dlt source
``decisions``       what people, rules, the model and a sync decided: append-only, dated
``registry``        the connected clients, their secrets, their files
``ingest``          BILL's lists into a client's file, with every version of every document
``warehouse``       a client's DuckDB file: builds and checks the SQL of ``transforms/``
``categorization``  the model that gives lines their accounts; who is who among the parties
``publishing``      the analysts' read-only ledger, and how it is asked
``exports``         the ledger in other tools' formats
``pipeline``        the sync of a client by its ``steps``, and of many; rebuilding the journal
``actions``         what a person does to a client's books
``dagster``         the only place that imports dagster
``console``         the web page an accounting firm works in
``cli``             the ``bill-pipeline`` command: parse, call, print
``sandbox``         a BILL look-alike on localhost; imports nothing else of this package

``transforms/`` (top level) is SQL and nothing else; ``models/`` is statistics and nothing else.
"""

__version__ = "0.2.0"
