"""The undisturbed lab chain, made once for all of pytest's workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import HELPERS, ROOT


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which the chain lies: whoever comes first makes it, others wait."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "chain"
    # It is asked for no injection.
    subprocess.run(
        [sys.executable, "-m", "faults", str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(HELPERS)},
        stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return folder
