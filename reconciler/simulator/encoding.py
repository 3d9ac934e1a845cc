"""Response bodies, written as Go's json.Encoder writes them."""

import json
from typing import Any

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def encode(value: Any) -> bytes:
    """JSON in UTF-8 with HTML characters escaped, and a newline at the end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (text.translate(_ESCAPES) + "\n").encode("utf-8", "replace")
