"""One request and its answer: no retries, no waiting."""

from __future__ import annotations

from typing import Any, Final

import httpx

from reconciler.api.answers import JSON, Answer, value
from reconciler.api.failures import problem
from reconciler.api.pacing import retry_after
from reconciler.api.problems import BadAnswer, Call
from reconciler.api.transport import Lanes
from reconciler.redact import mask
from reconciler.settings import Settings

LARGEST_ANSWER: Final = 256 * 1024 * 1024  # bytes, unpacked


class Exchange:
    """Sends a request over one of its connections and reads the whole answer."""

    def __init__(self, settings: Settings, allowed: frozenset[str], transport: httpx.BaseTransport | None) -> None:
        self._token = settings.token.get_secret_value()
        self._lanes = Lanes(settings, allowed, transport)

    def close(self) -> None:
        """Close all connections."""
        self._lanes.close()

    def send(self, call: Call, content: bytes | None, seconds: float) -> Any:
        """Return the JSON of the answer.

        Args:
            call: What to ask.
            content: The body, if there is one.
            seconds: How long it may take.

        Raises:
            CallFailed: There is no answer, or it is not a success.
        """
        headers = None if content is None else {"Content-Type": "application/json"}
        try:
            with self._lanes.lend(seconds) as lane:
                request = lane.client.stream(call.method, call.server + call.path, content=content, headers=headers)
                with request as response:
                    answer = self._answer(response, _body(call, response))
        except httpx.HTTPError as error:
            # What is no HTTP is quoted by httpx, and may be an echo of what was sent.
            raise problem(call, error, seconds, self._token) from error
        return value(call, answer)

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        headers = response.headers
        media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.status_code != httpx.codes.OK or media != JSON:
            # An error page of a proxy may repeat the request's headers.
            body = mask(body.decode(errors="replace"), self._token).encode()
            media = mask(media, self._token)
        return Answer(
            status=response.status_code,
            media=media,
            body=body,
            location=mask(headers.get("Location", ""), self._token),
            retry_after=retry_after(headers.get("Retry-After")),
        )


def _body(call: Call, response: httpx.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise BadAnswer(call, f"more than {LARGEST_ANSWER} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
