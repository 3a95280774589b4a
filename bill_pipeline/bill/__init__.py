"""BILL over HTTP, and its lists as a dlt source.

``connection``  what is needed to reach one organisation
``errors``      everything that can go wrong, as one tree
``sessions``    where a session is kept between runs
``budget``      how many requests are left this hour, shared by all processes
``answers``     what an HTTP answer means
``api``         log in, ask, retry
``documents``   a page of JSON as whole documents
``lists``       THE TABLE of what we read
``pages``       page through one list without holes
``reader``      one list's cursor: watermark, passes, what was learned about the list
``reading``     many lists, in order, three requests at a time, in bounded chunks
``source``      a chunk as a dlt source

Nothing here knows about DuckDB, Dagster or the ledger, and nothing here imports other rooms.
"""
