"""The lines of a journal: JSON, one object a line, in a format that has a number of its own."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from reconciler.plan.change import Action

FORMAT = 1
"""Readers refuse journals of a higher one; what they do not know in a line of this one they pass over."""

START = '{"line": "begin"'
"""How every journal begins, and every run in it."""

FINISH = '{"line": "end"'
"""How the last line of a run begins."""

Effect = Literal["taken", "refused", "not_processed", "unknown"]
"""What a call came to: the server took it, said no, surely never saw it, or nobody knows."""


class Line(BaseModel):
    """What all lines have: `run` tells apart the runs that write to one file."""

    model_config = ConfigDict(frozen=True)

    run: str


class Planned(BaseModel):
    """A change of the plan, in short; `id` is that of the live object."""

    model_config = ConfigDict(frozen=True)

    address: str
    action: Action
    id: str | None = None
    previous_key: str | None = None


class Image(BaseModel):
    """An object as the server showed it, and the id of the object in which it stands."""

    model_config = ConfigDict(frozen=True)

    kind: str
    address: str
    id: str
    seen: dict[str, Any]
    parent: str = ""


class TakenBack(BaseModel):
    """A run that a rollback takes back, the file of its journal, and addresses of objects that are left as they are."""

    model_config = ConfigDict(frozen=True)

    run: str
    path: str
    leave: tuple[str, ...] = ()


class Begin(Line):
    """The run begins. Times are ISO 8601, in UTC.

    Attributes:
        server: its URL.
        account: its id, where it is known.
        takes_back: of a rollback.
        plan: digest of the plan file that it carries out, if it does.
    """

    line: Literal["begin"] = "begin"
    format: int = FORMAT
    nbsync: str
    server: str
    account: str | None = None
    command: str
    time: str
    pid: int
    takes_back: TakenBack | None = None
    plan: str | None = None
    changes: tuple[Planned, ...] = ()


class Called(Line):
    """A call is about to be sent.

    Attributes:
        number: of the call in its run, from 1.
        id: of the object that is changed or deleted; None where one is made.
        path: relative to `/api`.
        body: what is sent, without secrets.
        made: the run itself has made the object.
        before: the object as it was; None where it is made, or was not seen.
        parent: id of the object in which it stood, or is to stand.
        falls: objects that go with it, as they were.
        beside: ids of the objects of the same name that are to go when one was made.
    """

    line: Literal["call"] = "call"
    number: int
    time: str
    address: str
    kind: str
    action: Action
    id: str | None = None
    method: str
    path: str
    body: Any = None
    made: bool = False
    before: dict[str, Any] | None = None
    parent: str = ""
    falls: tuple[Image, ...] = ()
    beside: tuple[str, ...] = ()


class Answered(Line):
    """A call has ended.

    Attributes:
        status: of HTTP, where there was an answer.
        code: of the diagnostic, where it failed.
        id: of the object that was made or changed.
        after: the object as the answer shows it, without secrets; None where it shows none.
        parent: id of the object in which it stands now.
    """

    line: Literal["answer"] = "answer"
    number: int
    outcome: Effect
    status: int | None = None
    code: str | None = None
    id: str | None = None
    after: dict[str, Any] | None = None
    parent: str = ""


class Safe(Line):
    """A secret has reached its sink."""

    line: Literal["secret safe"] = "secret safe"
    address: str
    id: str


class Settled(Line):
    """A change of the plan has ended."""

    line: Literal["change"] = "change"
    address: str
    action: Action
    status: Literal["applied", "failed", "skipped", "unknown"]


class End(Line):
    """The run has ended by itself; `counts` has the number of changes by how they ended."""

    line: Literal["end"] = "end"
    time: str
    exit_code: int
    counts: dict[str, int] = {}


AnyLine = Begin | Called | Answered | Safe | Settled | End
_ADAPTER: TypeAdapter[AnyLine] = TypeAdapter(Annotated[AnyLine, Field(discriminator="line")])


def written(line: AnyLine) -> bytes:
    """A line as it stands in the file.

    Raises:
        ValueError: the server has sent what is no JSON, or what is nested too deeply.
    """
    try:
        shown = {key: value for key, value in line.model_dump(exclude={"line"}).items() if value is not None}
        return json.dumps({"line": line.line, **shown}).encode() + b"\n"
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class Newer(Exception):
    """A line of a format that this version does not know."""


def read(text: bytes) -> AnyLine | None:
    """A line of a file; None where it is damaged, or torn.

    Raises:
        Newer: it begins a journal of a later format.
    """
    try:
        found = json.loads(text)
        if isinstance(found, dict) and found.get("line") == "begin" and _is_newer(found.get("format")):
            raise Newer
        return _ADAPTER.validate_python(found)
    except (ValidationError, ValueError, RecursionError):
        return None


def _is_newer(number: object) -> bool:
    return isinstance(number, int) and number > FORMAT
