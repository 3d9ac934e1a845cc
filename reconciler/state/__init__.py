"""The live account: how it is read, and what it looks like once it was."""
