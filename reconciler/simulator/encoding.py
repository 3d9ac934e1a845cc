"""Response bodies, written as Go's json.Encoder writes them."""

import json
from decimal import Decimal
from typing import Any

FIRST_EXPONENT = 1e21
"""Floats from here on are written with an exponent."""

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def number(value: float) -> float:
    """A float64 as Go writes it: one without a fraction looks like a whole number, up to 21 digits, zeros at the end."""
    exact = float(value)
    return int(Decimal(repr(exact))) if exact.is_integer() and abs(exact) < FIRST_EXPONENT else exact


def encode(value: Any) -> bytes:
    """JSON in UTF-8 with HTML characters escaped, and a newline at the end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (text.translate(_ESCAPES) + "\n").encode("utf-8", "replace")
