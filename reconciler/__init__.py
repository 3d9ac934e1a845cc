"""nbsync: keeps a NetBird account equal to YAML files."""
