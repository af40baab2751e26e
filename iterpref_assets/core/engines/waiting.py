"""How long a server is waited for, and the line that says so.

A server that is busy (429, 502, 503, 504), or that answered before and cannot be reached now, is
waited for as long as it asks, or in growing steps, up to `max_wait_seconds` in all. Any other
failure that may pass (500, a timeout, a garbled answer, no server yet) is tried `max_attempts`
times. An error within an answer that counts as a success (200) is treated as its status would be.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol, TypeVar

import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.openai_answers import BUSY, ServerAnswer, spelt
from iterpref_assets.core.engines.protocol import Request

SECONDS_BETWEEN_LINES = 10.0
SHORTEST_WAIT = 0.2
_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, *BUSY}
_OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached")

_log = logging.getLogger("iterpref")
_CLIENTS_WORDS = re.compile(r"^Error code: \d+( - )?")
_SHOWN = 200
_SLOW = (
    "no answer within timeout_seconds: lower max_in_flight, so that fewer requests share the "
    "server, or raise timeout_seconds"
)

_in_growing_steps = wait_random_exponential(multiplier=0.5, max=30)

ResultT = TypeVar("ResultT")


class GarbledAnswerError(Exception):
    """An answer that is not what its header says, such as JSON that breaks off."""


class FailedAnswerError(Exception):
    """An answer that counts as a success and says that it is none; another try may be one."""

    def __init__(self, answer: ServerAnswer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class Sleep(Protocol):
    """Waits; a test waits in another way."""

    def __call__(self, seconds: float, /) -> Awaitable[None]:
        """Return after `seconds`."""
        ...


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, openai.APIStatusError):
        lasting = error.code in _OUT_OF_MONEY or error.type in _OUT_OF_MONEY
        passing = error.status_code in _MAY_PASS or isinstance(error, openai.InternalServerError)
        return passing and not lasting
    return isinstance(error, openai.APIConnectionError | GarbledAnswerError | FailedAnswerError)


def is_slow(error: BaseException) -> bool:
    """Whether a server took a request and did not answer it in time."""
    # By its name: which library the client asks with (httpx, httpx2) depends on its version.
    timed_out = isinstance(error, openai.APITimeoutError)
    return timed_out and type(error.__cause__).__name__ == "ReadTimeout"


def told_wait(error: BaseException) -> float | None:
    """The seconds that a server asks to wait (`Retry-After`, `retry-after-ms`).

    None: it asks for nothing, or in words that nobody can read.
    """
    if not isinstance(error, openai.APIStatusError):
        return None
    headers = error.response.headers
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    told = headers.get("retry-after", "")
    seconds = _number(told)
    if seconds is None:
        seconds = _seconds_until(told)
    return None if seconds is None else max(0.0, seconds)


def _number(told: str) -> float | None:
    try:
        number = float(told)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


class Patience:
    """Calls one server, and waits for it between tries.

    Attributes:
        has_answered: whether any call has succeeded.
        broke_with: what the server said where it failed by itself (500) since it last answered;
            empty: it did not.
    """

    def __init__(self, config: OpenAIConfig, sleep: Sleep) -> None:
        self._config, self._sleep = config, sleep
        self.has_answered = False
        self.broke_with = ""
        self._waiting = 0
        self._last_line = -SECONDS_BETWEEN_LINES

    async def call(self, ask: Callable[[Request], Awaitable[ResultT]], request: Request) -> ResultT:
        """What `ask` returns for `request`, once it does.

        Raises:
            Exception: the last of `ask`, where it cannot pass or the patience is at its end.
        """
        one = _OneCall(self)
        attempts = AsyncRetrying(
            retry=retry_if_exception(may_pass),
            wait=one.wait,
            stop=one.stop,
            before_sleep=one.tell,
            sleep=self._sleep_in_turn,
            reraise=True,
        )
        result = await attempts(ask, request)
        self.has_answered, self.broke_with = True, ""
        return result

    def note(self, error: BaseException) -> None:
        """Keep what a server says that is broken: the next calls may find none."""
        if isinstance(error, openai.InternalServerError) and error.status_code not in BUSY:
            self.broke_with = in_words(error)

    def is_for_the_server(self, error: BaseException) -> bool:
        """Whether waiting helps, rather than one more try."""
        if isinstance(error, openai.APIStatusError):
            return error.status_code in BUSY
        if isinstance(error, FailedAnswerError):
            return error.answer.is_busy
        timed_out = isinstance(error, openai.APITimeoutError)
        away = isinstance(error, openai.APIConnectionError) and not timed_out
        return away and self.has_answered

    @property
    def longest(self) -> float:
        """The seconds that one call is waited for at most."""
        return self._config.max_wait_seconds

    @property
    def tries(self) -> int:
        """The failures of a broken server that one call bears."""
        return self._config.max_attempts

    async def _sleep_in_turn(self, seconds: float) -> None:
        self._waiting += 1
        try:
            await self._sleep(seconds)
        finally:
            self._waiting -= 1

    def say(self, why: str, seconds: float) -> None:
        """Log that the server is waited for; one line stands for all that wait at the time."""
        if time.monotonic() - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = time.monotonic()
        _log.warning("%s: waiting %.1f s (%d more requests wait)", why, seconds, self._waiting)


class _OneCall:
    """The tries of one call."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0

    def wait(self, state: RetryCallState) -> float:
        """The seconds until the next try."""
        told = told_wait(_error(state))
        return max(SHORTEST_WAIT, _in_growing_steps(state) if told is None else told)

    def stop(self, state: RetryCallState) -> bool:
        """Whether there is no next try."""
        self._patience.note(_error(state))
        if state.idle_for + state.upcoming_sleep > self._patience.longest:
            return True
        if self._patience.is_for_the_server(_error(state)):
            return False
        self._failures += 1
        return self._failures >= self._patience.tries

    def tell(self, state: RetryCallState) -> None:
        """Say why nothing happens."""
        error = _error(state)
        asks = " and asks to wait" if told_wait(error) is not None else ""
        self._patience.say(
            f"the server did not answer ({in_words(error)}){asks}", state.upcoming_sleep
        )


def in_words(error: BaseException) -> str:
    """A failure in one short line, with its status where it has one."""
    text = error.message if isinstance(error, openai.APIError) else str(error)
    if is_slow(error):
        return _SLOW
    if isinstance(error, openai.APIConnectionError) and error.__cause__ is not None:
        text = f"{text} {error.__cause__}"
    if isinstance(error, openai.APIStatusError):
        # The client's message leaves out a body of any other form than OpenAI's own.
        said = _CLIENTS_WORDS.sub("", text) or spelt(error.body)
        text = f"{error.status_code}: {said}"
    return " ".join(text.split())[:_SHOWN]


def _error(state: RetryCallState) -> BaseException:
    outcome = state.outcome
    error = outcome.exception() if outcome else None
    if error is None:
        raise TypeError("a call that succeeded is not tried again")
    return error
