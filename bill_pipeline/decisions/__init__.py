"""What people, rules, the model and a sync decided about one client's books: append-only, dated."""
