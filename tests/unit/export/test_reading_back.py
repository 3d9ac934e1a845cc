"""Words that would be read as other objects than those that are live are no words for them."""

from __future__ import annotations

import pytest

from reconciler.export.names import names_of
from reconciler.export.reading_back import Flaw, Subject, read_back
from reconciler.state.observe import observe_all
from schemas import KINDS


@pytest.mark.parametrize("said", [{"A": "10.0.0.2"}, {"A": ["10.0.0.1", "10.0.0.2"]}])
def test_as_many_objects_are_read_back_as_are_live(account, said):
    """A plan would make what is too much, and delete what is missing."""
    zone = {"name": "z", "domain": "z.example", "distribution_groups": [account.group("devs")], "enabled": True}
    path = f"/dns/zones/{account.make('/dns/zones', zone)}/records"
    account.make(path, {"name": "www.z.example", "type": "A", "content": "10.0.0.1", "ttl": 300})
    names = names_of(observe_all(account.api, KINDS, KINDS), KINDS)
    (live,) = names.book.snapshot.of("dns_record").values()
    kind = live.kind
    subject = Subject(kind, [live], [kind.decode(kind.model, live.seen, names.book)], "www", names.around(live))
    assert read_back(names, subject, {"A": "10.0.0.1"}).keys() == {names.address(live)}
    with pytest.raises(Flaw) as caught:
        read_back(names, subject, said)
    assert caught.value.lines == ("the language cannot say what is live",)
