"""A BILL look-alike on localhost: BILL's wire format over invented or imported books.

``server`` runs it (``SandboxServer``), ``state`` holds it; ``v3``, ``v2`` and ``events`` are
BILL's planes, ``control`` is ours; ``companies`` invents books, ``ledger_import`` reads real ones.
Nothing here imports any other part of bill_pipeline: it stands in for a service of others.
"""
