"""`nbsync doctor`: the way to the server, step by step. Nothing is written."""
