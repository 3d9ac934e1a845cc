"""Does what a plan says, one change after another, and reports what was and was not done."""
