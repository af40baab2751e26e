"""Python that others wrote is read as syntax, by any number of threads."""

import ast
import gc
import threading
import time
import warnings

import pytest

from iterpref_assets.core import syntax
from iterpref_assets.core.syntax import Completeness, completeness, literal, parse

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


def test_threads_that_parse_at_once_leave_the_warnings_of_the_process_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first thread leaves before the second, where both can be inside at once.

    The second comes as far as it can while the first is inside: to the lock, where there is one.
    """
    plain, lock = ast.parse, threading.RLock()
    first_inside, second_came, first_left = (threading.Event() for _ in range(3))

    class Lock:
        def __enter__(self) -> None:
            if threading.current_thread() is threads[1]:
                second_came.set()
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    def slow(code: str, *others: str) -> ast.AST:
        if code == "first":
            first_inside.set()
            second_came.wait()
        elif code == "second":
            second_came.set()
            first_left.wait()
        return plain(code, *others)

    def first_one() -> None:
        parse("first")
        first_left.set()

    monkeypatch.setattr(syntax, "_ONE_AT_A_TIME", Lock())
    monkeypatch.setattr(ast, "parse", slow)
    before = list(warnings.filters)
    threads = [threading.Thread(target=first_one), threading.Thread(target=parse, args=("second",))]
    threads[0].start()
    first_inside.wait()
    threads[1].start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1", Completeness.WHOLE),
        ("", Completeness.WHOLE),
        ("if x:", Completeness.OPEN),
        ("x = (1,", Completeness.OPEN),
        ('x = """1', Completeness.OPEN),
        ("x = 1 + \\", Completeness.OPEN),
        ("a b", Completeness.WRONG),
        ("if x:\ny = 1", Completeness.WRONG),
        ("x = (1,\n}", Completeness.WRONG),
        ("    x = 1", Completeness.WRONG),
    ],
)
def test_a_text_that_more_lines_may_complete_is_told_from_one_that_none_can(code, said):
    assert completeness(code) is said


def test_what_python_warns_of_in_a_text_is_not_passed_on(recwarn):
    assert completeness("x = '\\W'") is Completeness.WHOLE
    assert not recwarn.list
