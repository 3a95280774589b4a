"""The parts of publishing; ``bill_pipeline.publish`` puts them in order.

``tables``     what is published: names, types and words, read from ``transforms/``
``versions``   one client's tables as Parquet, one new version at a time; collecting old ones
``catalogue``  the file analysts open: views and macros that name exact versions
``registry``   the tables ``clients`` and ``sync_status``

Nothing here decides what the books say, and nothing here is needed to read them: an analyst needs
DuckDB and the files alone.
"""
