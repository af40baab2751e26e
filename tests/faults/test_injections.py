"""Each stage of the lab chain, broken in each way: nothing is lost, made twice or left behind.

The short form; `make faults` breaks every stage in every way, many times.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from faults.plan import Injection, short
from places import HELPERS, ROOT

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


@pytest.fixture(scope="session")
def breaker(chain: Path) -> Iterator[subprocess.Popen[str]]:
    """Breaks a copy of the undisturbed chain for each injection that it is sent."""
    with subprocess.Popen(
        [sys.executable, "-m", "faults", str(chain)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(HELPERS)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process


@pytest.mark.parametrize("injection", short(), ids=lambda each: each.name)
def test_the_launch_after_a_fault_makes_up_for_it(
    breaker: subprocess.Popen[str], injection: Injection
) -> None:
    breaker.stdin.write(json.dumps(asdict(injection)) + "\n")
    breaker.stdin.flush()
    answer = breaker.stdout.readline()
    assert answer, "the injection itself broke: its error is above"
    outcome = json.loads(answer)
    assert outcome["problems"] == [], outcome["detail"]
