"""Shows what a command found or did: one view, made once, and a renderer for each format."""
