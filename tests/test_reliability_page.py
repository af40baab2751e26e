"""docs/RELIABILITY.md tells what injections recorded, and names tests that are there."""

import json
import re

from faults.report import PAGE, PROSE, RESULTS, page
from places import ROOT


def test_the_page_is_current() -> None:
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    written = PAGE.read_text(encoding="utf-8")
    assert written == page([json.loads(line) for line in lines]), "run: make docs"


def test_each_promise_names_tests_that_are_there() -> None:
    named = re.findall(r"tests/[\w/]+\.py", PROSE.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
