"""What becomes of an outcome that nobody takes: a pipe that was closed, a full disk."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import reason


class Unwritable(Exception):
    """Nothing more can be written to stdout.

    Attributes:
        why: the reason; empty where nobody reads it any more (`nbsync plan | head`).
    """

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.why = "" if isinstance(error, BrokenPipeError) else reason(error)


@contextmanager
def writing() -> Iterator[None]:
    """Around what is written to stdout, all of which has arrived at the end of the block.

    Raises:
        Unwritable: it has not.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        raise Unwritable(error) from None
