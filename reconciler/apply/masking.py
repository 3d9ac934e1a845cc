"""Takes secrets out of what is written down."""

from __future__ import annotations

from typing import Any

from reconciler.redact import MASK, hide

ALWAYS = frozenset({"password", "plain_token", "secret", "client_secret", "private_key"})
"""Names of fields that hold secrets, of whatever kind."""


def masked(value: Any, reveals: str, secret: str = "") -> Any:
    """A copy without secrets.

    Args:
        value: JSON.
        reveals: name of the field in which objects of the kind have their secret; at whatever depth.
        secret: a secret that is known; it is masked in all text, as is what was concealed.
    """
    if isinstance(value, dict):
        names = {*ALWAYS, reveals}
        return {
            hide(key, secret): MASK if key in names and item else masked(item, reveals, secret)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, reveals, secret) for item in value]
    return hide(value, secret) if isinstance(value, str) else value
