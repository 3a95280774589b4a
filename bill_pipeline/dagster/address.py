"""Where Dagster's page is below the console's address, and what the console says of who asks.

Both sides read it: the console, which hands requests on, and the page that answers them.
"""

PREFIX = "/dagster"
#: The header by which the console says that the request is an administrator's.
MAY_CHANGE = "x-may-change"
