"""What a person does to a client's books, shown at once."""
