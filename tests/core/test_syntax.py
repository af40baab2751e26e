"""Reading Python in several threads at once."""

import gc
import threading
import time

from iterpref_assets.core.syntax import literal

TEXT = f"[{','.join(['[1]'] * 40)}]"


class _Yielding:
    """Garbage whose collection lets another thread run, in the middle of whatever was going on."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0.0005)


def _read(depth: int, failures: list[SystemError]) -> None:
    """Read literals from `depth` frames further down: threads that differ in depth clash."""
    if depth:
        _read(depth - 1, failures)
        return
    for _ in range(60):
        _Yielding()
        try:
            literal(TEXT)
        except SystemError as error:
            failures.append(error)


def test_threads_that_build_trees_at_once_do_not_disturb_each_other():
    failures: list[SystemError] = []
    threads = [threading.Thread(target=_read, args=(5 * k, failures)) for k in range(8)]
    before = gc.get_threshold()
    gc.set_threshold(7)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*before)
    assert failures == []
