"""Reads that are more than one query, or more than one row."""
