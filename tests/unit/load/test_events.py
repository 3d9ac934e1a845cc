"""Which parser reads what: the slow one only what is rare."""

import pytest
from ruamel.yaml.error import YAMLError

from reconciler.load.events import attempts


def needed(text: str) -> int:
    """How many attempts it takes to read `text`."""
    for number, attempt in enumerate(attempts(text), 1):
        try:
            return number if list(attempt()) else 0
        except YAMLError:
            continue
    return 99


@pytest.mark.parametrize(
    ("text", "attempt"),
    [
        ("a: [b, c]\nd: fd00::/8\n", 1),
        ("a: [b?c, '?', http]\n", 1),
        ("a: x\u2028y\n", 1),
        ("a: [fd00::/8, ::/0, fe80::]\n", 2),
        ('{"a":1, "b":[fd00::/8], "c":{"d":{}}, "e":"x"}\n', 2),
        ("{'a':1, 'b': [80:90]}\n", 2),
        ("a: [b:]\n", 3),
        ("a: [\n", 99),
    ],
)
def test_the_parser_that_is_needed(text, attempt):
    assert needed(text) == attempt
