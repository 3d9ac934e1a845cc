"""Walks a walk: loads, plans, compares, applies, and sees that nothing is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from reconciler.api.client import Api, ReadApi
from reconciler.apply.executor import execute
from reconciler.apply.outputs import Revealed
from reconciler.apply.report import Status
from reconciler.apply.work import Run
from reconciler.cli.options import Options, collect
from reconciler.cli.planning import looked_further
from reconciler.cli.session import Session
from reconciler.errors import Diagnostic, ExitCode, NbsyncError, Severity
from reconciler.load.desired import Desired
from reconciler.plan import make_plan
from reconciler.plan.change import Action, Change, Plan
from reconciler.plan.match import Book
from reconciler.state.observe import observe
from schemas import KINDS
from schemas._core.address import Address
from tests.scenarios.account import Account
from tests.scenarios.bystander import Bystander
from tests.scenarios.walk import Document, Step, Walk, text_of

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.RENAME: ">", Action.REPLACE: "±", Action.DELETE: "-"}


def line(change: Change) -> str:
    """A change as walks write it."""
    notes = [f"was {change.previous_key}"] if change.previous_key is not None else []
    if change.action not in (Action.CREATE, Action.DELETE):
        notes += [found.path for found in change.fields]
    return f"{SIGNS[change.action]} {change.address}" + (f" ({', '.join(notes)})" if notes else "")


@dataclass
class Purse:
    """Keeps the secrets of an apply."""

    revealed: list[Revealed] = field(default_factory=list)

    def put(self, revealed: Revealed) -> None:
        """Take one."""
        self.revealed.append(revealed)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Outcome:
    """What planning came to; without a book where it failed."""

    exit: ExitCode
    diagnostics: Sequence[Diagnostic]
    plan: Plan = field(default_factory=Plan)
    book: Book | None = None

    @property
    def lines(self) -> list[str]:
        """The changes as walks write them."""
        return [line(change) for change in self.plan.changes]

    def texts(self, severity: Severity) -> list[str]:
        """All that is said with this severity: the address that it is about, and the message."""
        return [f"{one.address}: {one.message}" for one in self.diagnostics if one.severity is severity]


class Guide:
    """Takes the steps of one walk, one after the other.

    What was in the account before is `unmanaged` to every document of the walk, so that `full` is safe anywhere; and no plan
    is applied that is not line by line the expected one.
    """

    def __init__(self, walk: Walk, account: Account, folder: Path) -> None:
        self._walk = walk
        self._account = account
        self._folder = folder
        self._document: Document = {}
        self._bystander = Bystander(account)
        self._foreign = self._others()

    def close(self) -> None:
        """Close the connection."""
        self._bystander.close()

    def in_the_way(self) -> list[str]:
        """Addresses that the walk wants to make, and that are in the account already."""
        made = {line[2:] for step in self._walk.steps for line in step.plan if line.startswith("+ ")}
        return sorted(made & set(map(str, self._foreign)))

    def walk(self) -> None:
        """Take all steps; what goes wrong is told with the title of the step."""
        for step in self._walk.steps:
            try:
                self.take(step)
            except AssertionError as error:
                raise AssertionError(f"{step.title}\n{error}") from error
            except Exception as error:
                error.add_note(f"in the step: {step.title}")
                raise

    def take(self, step: Step) -> None:
        """Take one step."""
        for happening in step.meanwhile:
            self._bystander.happen(happening, self._desired())
        if step.desired is not None:
            self._document = self._bystander.resolved(step.desired, self._desired())
        options = self._options(step)
        outcome = self._plan(options)
        _compare(self._with_ids(step), outcome)
        self._compare_unmanaged(step, outcome)
        if step.exit == ExitCode.DONE:
            self._apply(outcome)
            self._expect_rest(self._plan(options), outcome.plan)
        self._bystander.look(step.api, self._desired())

    def reach(self, document: Document, allow_empty: Sequence[str]) -> ExitCode:
        """Make the account what a document says, and see that nothing is left to do; what cannot be is not done."""
        self._document = document
        options = self._options(Step(title="", allow_empty=tuple(allow_empty)))
        outcome = self._plan(options)
        if outcome.exit == ExitCode.DONE:
            self._apply(outcome)
            self._expect_rest(self._plan(options), outcome.plan)
        return outcome.exit

    def _with_ids(self, step: Step) -> Step:
        """The step with ids in the lines of its plan."""
        lines = {"plan": step.plan, "order": step.order}
        return step.model_copy(update=self._bystander.resolved(lines, None))

    def _options(self, step: Step) -> Options:
        """What a person would give to the command line."""
        file, overlays = self._folder / "walk.yaml", []
        file.write_text(text_of(self._document), "utf-8")
        if step.overlay is not None:
            overlays = [self._folder / "overlay.yaml"]
            overlays[0].write_text(text_of(step.overlay), "utf-8")
        allow = step.allow if self._walk.only_if_fresh or "guards" in self._document else (*step.allow, "delete:1000")
        return collect({"paths": [file], "overlays": overlays, "allow": allow, "allow_empty": step.allow_empty})

    def _desired(self) -> Desired | None:
        """What the last document declares, if it can be read."""
        try:
            return Session("plan", self._options(Step(title=""))).desired()
        except NbsyncError:
            return None

    def _others(self) -> list[Address]:
        """Addresses of what is in the account and may be deleted, but is not the walk's."""
        book = self._bystander.book(None)
        return [
            book.addresses[live.kind.name, live.id]
            for live in book.snapshot
            if not live.kind.endpoint.singleton and not live.kind.server_owned(live.seen, book)
        ]

    def _plan(self, options: Options) -> Outcome:
        try:
            with ReadApi(self._account.settings, self._account.nbsync_transport) as api:
                desired = Session("plan", options).desired()
                desired.unmanaged += tuple(escape(str(address)) for address in self._foreign)
                snapshot = observe(api, desired)
                plan, book = looked_further(
                    lambda: make_plan(desired, snapshot, options.allowances), api, desired, snapshot
                )
        except NbsyncError as error:
            return Outcome(error.exit_code, error.diagnostics)
        code = ExitCode.REFUSED if plan.verdicts else ExitCode.DONE
        return Outcome(code, [*plan.diagnostics, *(verdict.diagnostic for verdict in plan.verdicts)], plan, book)

    def _compare_unmanaged(self, step: Step, outcome: Outcome) -> None:
        if step.unmanaged is not None and outcome.book is not None:
            kinds = outcome.book.desired.kinds
            others = [one for one in self._foreign if one.kind in kinds and not KINDS[one.kind].parent]
            assert outcome.plan.unmanaged - len(others) == step.unmanaged, "unmanaged"

    def _apply(self, outcome: Outcome) -> None:
        assert outcome.book is not None
        purse = Purse()
        with Api(self._account.settings, self._account.nbsync_transport) as api:
            report = execute(api, outcome.book, outcome.plan, Run(sink=purse))
        failed = [f"{line(one.change)}: {one.error}" for one in report.results if one.status is not Status.APPLIED]
        assert not failed, "\n".join(failed)
        assert report.exit_code == ExitCode.DONE, report.diagnostics
        made = [change for change in outcome.plan.changes if change.action in (Action.CREATE, Action.REPLACE)]
        assert [one.address for one in purse.revealed if one.secret] == [
            str(change.address) for change in made if change.kind.reveals
        ], "every secret is handed over once"

    def _expect_rest(self, second: Outcome, plan: Plan) -> None:
        """Nothing is left to do, and objects that were changed are still the same ones."""
        assert second.exit == ExitCode.DONE, second.diagnostics
        assert second.lines == [], "the second plan is not empty"
        assert second.book is not None
        for change in plan.changes:
            if change.action in (Action.UPDATE, Action.RENAME):
                assert second.book.pairs[change.address].id == change.id, f"{change.address} has another id"
            elif change.action is Action.REPLACE:
                assert second.book.pairs[change.address].id != change.id, f"{change.address} is the old one"


def _compare(step: Step, outcome: Outcome) -> None:
    """The changes, warnings and errors are exactly those that the step names."""
    said = outcome.texts(Severity.ERROR)
    assert outcome.exit == step.exit, "\n".join([f"exit {int(outcome.exit)}", *said, *outcome.lines])
    assert sorted(outcome.lines) == sorted(step.plan)
    places = [outcome.lines.index(each) for each in step.order]
    assert places == sorted(places), f"the order is {outcome.lines}"
    _compare_texts(step.errors, said)
    _compare_texts(step.warnings, outcome.texts(Severity.WARNING))


def _compare_texts(parts: Sequence[str], texts: Sequence[str]) -> None:
    """Each text has one of the parts in it, each part is in one of the texts."""
    left = list(texts)
    for part in parts:
        found = next((text for text in left if part in text), None)
        assert found is not None, f"nobody says '{part}', but: {left}"
        left.remove(found)
    assert left == []
