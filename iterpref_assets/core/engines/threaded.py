"""An asynchronous engine around a batched one that blocks: the latter runs in a thread.

The thread adds what arrived, computes one step, hands back what is finished, and starts over; so
new requests join the batch between steps and nobody waits for the slowest of a group.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from iterpref_assets.core.engines.protocol import Completion, Request


class Backend(Protocol):
    """A batched generator, used from one thread only."""

    def add(self, request: Request) -> Completion | None:
        """Take `request` into the batch, or answer it at once."""
        ...

    def step(self) -> list[Completion]:
        """Compute some tokens; the completions that this finished, in any order."""
        ...

    def has_work(self) -> bool:
        """Whether a request that was added is unfinished."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    request: Request
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Completion]


class ThreadedEngine:
    """`Engine` over a `Backend`, which is made in the thread at the first request.

    An error in the thread fails every request that is waiting and every later one.
    """

    def __init__(self, description: str, make_backend: Callable[[], Backend]) -> None:
        self._description = description
        self._make_backend = make_backend
        self._inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting: dict[str, _Job] = {}
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._closing = False

    @property
    def description(self) -> str:
        """Engine, version, model and precision."""
        return self._description

    async def generate(self, request: Request) -> Completion:
        """The completion of `request`, batched with whatever else is being generated."""
        loop = asyncio.get_running_loop()
        job = _Job(request, loop, loop.create_future())
        with self._lock:  # so that no job arrives after a failing thread's last look
            if self._failure is not None:
                raise self._failure
            self._inbox.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        return await job.answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self._inbox.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            backend = self._make_backend()
            try:
                while self._take_in(backend):
                    self._deliver(backend.step())
            finally:
                backend.close()
        except BaseException as failure:  # noqa: BLE001 - it is raised in whoever waits
            self._fail(failure)

    def _take_in(self, backend: Backend) -> bool:
        """Add what arrived; block while there is nothing to do; False once closed."""
        while not self._closing:
            try:
                job = self._inbox.get(block=not backend.has_work())
            except queue.Empty:
                return True
            if job is not None:
                self._waiting[job.request.key] = job
                answer = backend.add(job.request)
                if answer is not None:
                    self._deliver([answer])
        return False

    def _deliver(self, completions: list[Completion]) -> None:
        for completion in completions:
            job = self._waiting.pop(completion.key)
            job.loop.call_soon_threadsafe(_answer, job.answer, completion)

    def _fail(self, failure: BaseException) -> None:
        with self._lock:
            self._failure = failure
        while not self._inbox.empty():
            job = self._inbox.get()
            if job is not None:
                self._waiting[job.request.key] = job
        for job in self._waiting.values():
            job.loop.call_soon_threadsafe(_refuse, job.answer, failure)


def _answer(future: asyncio.Future[Completion], completion: Completion) -> None:
    if not future.done():  # cancelled while it was being generated
        future.set_result(completion)


def _refuse(future: asyncio.Future[Completion], failure: BaseException) -> None:
    if not future.done():
        future.set_exception(failure)
