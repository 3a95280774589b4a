"""What the console answers, page by page; ``routes`` is their table."""
