"""Python that others wrote is read as syntax, by any number of threads."""

import ast
import threading
import warnings

import pytest

from iterpref_assets.core.syntax import parse


def test_threads_that_parse_at_once_leave_the_warnings_of_the_process_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first thread leaves before the second, where both can be inside at once."""
    plain, inside = ast.parse, {"first": threading.Event(), "second": threading.Event()}
    first_left = threading.Event()

    def slow(code: str, *others: str) -> ast.AST:
        if code not in inside:
            return plain(code, *others)
        inside[code].set()
        (inside["second"] if code == "first" else first_left).wait(timeout=1)
        return plain(code)

    def first_one() -> None:
        parse("first")
        first_left.set()

    monkeypatch.setattr(ast, "parse", slow)
    before = list(warnings.filters)
    threads = [threading.Thread(target=first_one), threading.Thread(target=parse, args=("second",))]
    threads[0].start()
    assert inside["first"].wait(timeout=300)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
