"""A client's sync, step by step, and many clients' syncs."""
