"""BILL over HTTP, and its lists as a dlt source.

``connection``  what is needed to reach one organisation
``errors``      everything that can go wrong, as one tree
``sessions``    where a session is kept between runs
``budget``      how many requests are left this hour, shared by all processes
``holders``     which process holds a request's place, and whether it died
``responses``   what an HTTP answer means
``login``       open a session, and explain a refusal
``api``         ask, retry
``documents``   a page of JSON as whole documents
``lists``       THE TABLE of what we read
``fields``      the fields BILL documents, so that new ones are noticed
``pages``       one page of one list, over v3 or v2
``cursor``      how far a list was read, and what was learned about it
``page_requests``  what BILL accepts of a filter, a sort or a page token
``list_reader`` from page to page of one list, without holes
``stored``      what must be known of the documents stored already
``import_run``  many lists, in order, three requests at a time, in bounded chunks
``source``      a chunk as a dlt source
``beliefs``     what we believe without BILL's word, and how to see it

Nothing here knows about DuckDB, Dagster or the ledger, and nothing here imports other layers.
"""
