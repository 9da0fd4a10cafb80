"""Whoever carries the mail: a message goes in, what became of it comes out. Nothing here knows the ledger."""
