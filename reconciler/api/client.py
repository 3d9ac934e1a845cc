"""The two clients of a NetBird account: `ReadApi` for everything that only looks, `Api` for apply."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any, ClassVar, Final, Self

from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception

from reconciler.api.exchange import Exchange
from reconciler.api.pacing import Naps, Pace, Patience
from reconciler.api.paths import checked, path
from reconciler.api.problems import (
    Call,
    CallFailed,
    NoSuchEndpoint,
    RateLimited,
    TimedOut,
    TokenRefused,
    Unreachable,
)
from reconciler.api.rate import Limit, Rate
from reconciler.api.retries import back_off, may_pass
from reconciler.api.transport import Transport
from reconciler.errors import Throttled
from reconciler.settings import Settings

__all__ = ["Api", "ReadApi", "path"]

WORKERS: Final = 8
LAST_ANSWERS: Final = 1.0  # seconds
TRIES: Final = 6
OVERTIME: Final = 30.0
"""Seconds after the end of the run within which all that has begun is finished, and after which no answer is waited for."""


def _ended(futures: Sequence[Future[Any]], seconds: float) -> bool:
    """Give all of these some time to end, and tell whether they have."""
    end = time.monotonic() + seconds
    while not (ended := all(future.done() for future in futures)) and time.monotonic() < end:
        time.sleep(0.02)
    return ended


class ReadApi:
    """Reads an account, and cannot do anything else: its transport refuses every method but GET.

    May be used from several threads. Reads are tried again after a broken connection, a timeout, 502, 503 and 504, up to
    `TRIES` times within the budget of the settings; after a 429 all threads wait together and go on at the server's pace, for as
    long as it takes unless the settings limit the run's time.

    Args:
        settings: Server, token, timeouts.
        transport: Replaces the network, such as by the simulator; the caller closes it.
        sleep: Replaces `time.sleep`; takes seconds.
        clock: Replaces `time.monotonic`.
        on_wait: Told before every wait that a failure makes necessary: seconds and a reason. May be called from several threads.
        on_limit: Told what the server's rate limit means for the time to come, when that becomes known. Likewise.

    Attributes:
        reads: GET requests sent so far, repeated ones included.
        writes: Likewise POST, PUT and DELETE.

    Raises:
        UsageError: The trust store or the proxy that the environment names cannot be used.
    """

    _methods: ClassVar[frozenset[str]] = frozenset({"GET"})

    def __init__(
        self,
        settings: Settings,
        transport: Transport | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[float, str], None] | None = None,
        on_limit: Callable[[Limit], None] | None = None,
    ) -> None:
        self.reads = 0
        self.writes = 0
        self._expected = 0
        self._queued = 0
        self._on_limit = on_limit
        self._settings = settings
        self._transport = transport
        self._exchange = Exchange(settings, self._methods, transport)
        self._clock = clock
        self._naps = Naps(sleep, on_wait)
        self._pace = Pace(clock, self._naps, settings.max_run_time, self._limited)
        self._count_lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server(self) -> str:
        """URL of the management server, without `/api`."""
        return self._settings.url

    @property
    def is_limited(self) -> bool:
        """Whether the server's rate limit has been met, and requests wait for it."""
        return self._pace.is_limited

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self._exchange.close()

    def stop(self) -> None:
        """End every wait, present and future, with `Stopped`; calls in flight are finished. For signal handlers."""
        self._naps.stop()

    def wait(self, seconds: float, reason: str) -> None:
        """Wait, and tell why.

        Raises:
            Stopped: `stop` was called.
        """
        self._naps.announce(seconds, reason)
        self._naps.nap(seconds)

    @contextmanager
    def reading_as(self, token: str) -> Iterator[ReadApi]:
        """Give a client that only reads, on the same way to the server, with another access token."""
        settings = replace(self._settings, token=SecretStr(token), scheme="Token")
        other = ReadApi(settings, self._transport, sleep=self._naps.nap, clock=self._clock)
        try:
            yield other
        finally:
            other.close()
            self.reads += other.reads

    def expect(self, calls: int) -> None:
        """Say how many requests are still to come, besides those of `get_many`: forecasts are made of it."""
        self._expected = calls

    def get(self, path: str, *, overtime: bool = False) -> Any:
        """Return the JSON at `path`, such as "/groups"; None for JSON's `null`.

        Args:
            path: What to read.
            overtime: Ask also up to `OVERTIME` after the end of the run: something that has begun is to be finished.

        Raises:
            CallFailed: No answer, or a refusal; see `reconciler.api.problems`.
            OutOfTime: The time of the run is over, and nothing was sent.
            Stopped: `stop` was called during a wait.
        """
        return self._persist(self._call("GET", path), None, overtime=overtime)

    def get_many(
        self, paths: Sequence[str], *, optional: Collection[str] = (), dispensable: Collection[str] = ()
    ) -> list[Any]:
        """Return what is at each of `paths`, in their order, with up to `WORKERS` requests at a time.

        Args:
            paths: What to read.
            optional: Those of them that an older server may not have; None then.
            dispensable: Those of them without which the caller can do; what they failed with then, unless it is one that all share.

        Raises:
            CallFailed: Of those that failed, the first in the order of `paths`. The others are read all the same, unless the
                failure is one that they would share: no connection, no time, a bad token.
        """
        hopeless: list[Exception] = []

        def fetch(path: str) -> Any:
            try:
                if hopeless:
                    raise hopeless[0]
                return self.get(path)
            except NoSuchEndpoint:
                if path in optional:
                    return None
                raise
            except (Unreachable, Throttled, TokenRefused) as error:
                hopeless.append(error)
                raise
            except CallFailed as error:
                if path in dispensable:
                    return error
                raise
            finally:
                self._queue(-1)

        self._queue(len(paths))
        pool = ThreadPoolExecutor(WORKERS, "nbsync-read")
        futures = [pool.submit(fetch, path) for path in paths]
        try:
            wait(futures)
        except BaseException:
            self.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            # Whoever interrupts waits for answers that are on their way, but not for those of a silent server.
            pool.shutdown(wait=_ended(futures, LAST_ANSWERS))
            raise
        pool.shutdown()
        return [future.result() for future in futures]

    def _call(self, method: str, path: str) -> Call:
        return Call(self._settings.url, method, checked(path))

    def _persist(self, call: Call, content: bytes | None, *, overtime: bool) -> Any:
        """Send `call` until it is answered, or until the last problem that may pass has not passed."""
        patience = Patience(self._settings.patience, OVERTIME if overtime else 0.0)
        started = self._clock()

        def worn_out(state: RetryCallState) -> bool:
            spent = self._clock() - started - patience.total + state.upcoming_sleep
            left = self._pace.time_left + patience.overtime
            no_time = spent > self._settings.budget or state.upcoming_sleep > left
            return no_time or state.attempt_number >= TRIES

        retrying = Retrying(
            retry=retry_if_exception(lambda error: may_pass(call, error)),
            wait=back_off,
            stop=worn_out,
            before_sleep=self._announce,
            sleep=self._naps.nap,
            reraise=True,
        )
        return retrying(self._in_turn, call, content, patience)

    def _in_turn(self, call: Call, content: bytes | None, patience: Patience) -> Any:
        """Send `call` when the server's rate limit lets it through; a 429 is sure not to have been processed."""
        refusal: RateLimited | None = None
        while (closings := self._pace.enter(patience)) is not None:
            self._count(call.method)
            try:
                answer = self._exchange.send(call, content, self._seconds(call, patience))
            except RateLimited as error:
                self._pace.throttled(closings, error.retry_after)
                refusal = error
            except CallFailed as error:
                if error.status:
                    self._pace.answered()
                elif isinstance(error, TimedOut) and call.method == "GET":
                    self._pace.require_time(patience)
                raise
            else:
                self._pace.answered()
                return answer
        raise refusal or RateLimited(call, "another request was refused, and this one was not sent")

    def _seconds(self, call: Call, patience: Patience) -> float:
        """For how long an answer is waited for: that of a write, which may have had an effect, also in overtime."""
        overtime = patience.overtime if call.method == "GET" else OVERTIME
        return min(self._settings.timeout, self._pace.time_left + overtime)

    def _limited(self, rate: Rate) -> None:
        if self._on_limit:
            calls = self._expected + self._queued
            self._on_limit(Limit(rate.interval, rate.is_known, calls, self._pace.time_left))

    def _queue(self, more: int) -> None:
        with self._count_lock:
            self._queued += more

    def _count(self, method: str) -> None:
        with self._count_lock:
            if method == "GET":
                self.reads += 1
            else:
                self.writes += 1

    def _announce(self, state: RetryCallState) -> None:
        self._naps.announce(state.upcoming_sleep, str(state.outcome and state.outcome.exception()))


class Api(ReadApi):
    """Reads and writes an account.

    A write is repeated only where it is sure not to have been processed: there was no connection, or 429.
    """

    _methods = frozenset({"GET", "POST", "PUT", "DELETE"})

    def send(self, method: str, path: str, body: Any = None, *, overtime: bool = False) -> Any:
        """Return the JSON with which the server answers `method` at `path`; None where it answers without a body.

        Args:
            method: POST, PUT or DELETE.
            path: Such as "/groups".
            body: JSON to send; None sends no body at all (a literal `null` makes some handlers of the server panic).
            overtime: Send it also up to `OVERTIME` after the end of the run: something that has begun is to be finished.

        Raises:
            CallFailed: Its `outcome` says whether the write may have taken effect all the same.
            OutOfTime: The time of the run is over, and nothing was sent.
            Stopped: `stop` was called during a wait, before anything was sent.
        """
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        return self._persist(self._call(method, path), content, overtime=overtime)
