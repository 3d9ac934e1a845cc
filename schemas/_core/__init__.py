"""The vocabulary in which kinds are described."""
