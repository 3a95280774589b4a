"""Dagster's page behind the console's sign-in."""
