"""Who is asking the console, and what they may do."""
