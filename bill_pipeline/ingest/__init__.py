"""From BILL into a client's file: import, load with dlt, keep every version, compare."""
