"""Limits that the process itself was not given are refused with one message."""

import subprocess
import sys

import pytest

from iterpref_assets.core.sandbox.allowance import require_allowed
from iterpref_assets.core.sandbox.verdicts import Limits

PROGRAM = """
import resource
from iterpref_assets.core.sandbox.allowance import require_allowed
from iterpref_assets.core.sandbox.verdicts import Limits
resource.setrlimit(resource.RLIMIT_{name}, ({value}, {value}))
try:
    require_allowed(Limits())
except Exception as error:
    print(type(error).__name__, error)
"""


def test_what_this_process_was_given_is_enough():
    require_allowed(Limits())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NOFILE", 32, "programs need 64 open files, and this process may give them only 32"),
        ("FSIZE", 1 << 20, "programs need 16,777,216 bytes in a file"),
        ("CPU", 2, "programs need 3 seconds of CPU time"),
    ],
)
def test_a_hard_limit_that_is_too_low_is_named_with_its_remedy(name, value, said):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name, value=value)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("SandboxUnavailableError " + said)
    assert "ulimit -H" in done.stdout
