"""Judging with a sandbox that is opened for the first program, so that none is where none runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Limits


@contextmanager
def judging(
    open_sandbox: Callable[[], Sandbox], limits: Limits
) -> Generator[Callable[[str, Tests], Execution]]:
    """A judge for as long as the block lasts; any number of threads may call it at once.

    Args:
        open_sandbox: called once at most.
        limits: what each program may use.
    """
    lock = threading.Lock()
    opened: list[Sandbox] = []
    with ExitStack() as stack:

        def judge(code: str, tests: Tests) -> Execution:
            with lock:
                if not opened:
                    opened.append(stack.enter_context(open_sandbox()))
            return opened[0].judge(code, tests, limits)

        yield judge
