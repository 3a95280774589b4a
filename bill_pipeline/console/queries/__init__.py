"""What pages read, from the published ledger."""
