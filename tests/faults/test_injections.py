"""Each stage of the lab chain, broken in each way: nothing is lost, made twice or left behind.

The short form; `make faults` breaks every stage in every way, many times.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from faults.plan import Injection, short
from places import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]


@pytest.fixture(scope="module")
def breaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """Makes the undisturbed chain, and breaks a copy of it for each injection that it is sent."""
    helpers = ROOT / "tests" / "helpers"
    process = subprocess.Popen(
        [sys.executable, "-m", "faults", str(tmp_path_factory.mktemp("faults"))],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(helpers)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.stdin.close()
    process.wait()


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
