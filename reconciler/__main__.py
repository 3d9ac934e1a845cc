"""`python -m reconciler`: the command line from a checkout."""

from reconciler._launcher import main

main()
