"""The analysts' ledger: published by ``publish``, read by ``query``. The parts:

``tables``     what is published: names, types and words, read from ``transforms/``
``versions``   one client's tables as Parquet, one new version at a time; collecting old ones
``views``      many versions read as one table
``registry``   the tables ``clients`` and ``sync_status``
``ledger_store`` where the ledger is kept, as everybody else sees it: one interface
``stores``     which implementation of it a setting chooses

``files``      kept as files of one machine: ``contents`` says which version of each client counts,
               ``catalogue`` writes the file analysts open
``lake``       kept in DuckLake for several machines: ``lake_connection``, ``lake_tables``

Nothing here decides what the books say, and nothing here is needed to read them: an analyst needs
DuckDB and the files alone.
"""

#: A publication costs a fraction of a second whatever its size, and readers wait for it: more
#: clients at once would be cheaper, fewer would be fresher.
CLIENTS_PER_PUBLICATION = 20
