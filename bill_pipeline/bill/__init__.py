"""BILL over HTTP, and its lists as a dlt source.

``connection``     what is needed to reach one organisation
``errors``         everything that can go wrong, as one tree
``sessions``       where a session is kept between runs
``budget``         how many requests are left this hour, shared by all processes
``holders``        which process holds a request's place, and whether it died
``clock``          time, so that tests need not wait
``responses``      what an HTTP answer means
``login``          open a session, and explain a refusal
``api``            ask, retry
``documents``      a page of JSON as whole documents
``lists``          THE TABLE of what we read
``fields``         the fields BILL documents, so that new ones are noticed
``pages``          one page of one list, over v3 or v2
``by_id``          documents by their ids
``thin_rows``      lists whose rows lack what reading one document shows
``page_requests``  what BILL accepts of a filter, a sort or a page token
``cursor``         how far a list was read, and what was learned about it
``spans``          what a pass over a list has shown
``stored``         what must be known of the documents stored already
``list_reader``    from page to page of one list, without holes
``comparing``      every list compared whole, a share in each import
``findings``       what comparing found
``chunks``         what an import reads at a time
``left_out``       why a list is left out of an import
``import_run``     many lists, in order, three requests at a time
``source``         a chunk as a dlt source
``beliefs``        what we assume of BILL that it does not document, and how to check it

Nothing here knows about DuckDB, Dagster or the ledger, and nothing here imports other layers.
"""
