"""The command line: options, exit codes, and who prints what. Decisions are made elsewhere."""
