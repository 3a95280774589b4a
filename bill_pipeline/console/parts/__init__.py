"""What pages are made of: forms, formats, charts, periods, limits of a request."""
