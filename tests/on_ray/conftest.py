"""A Ray cluster for all tests here, which ends with them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parent / "docker")]


@pytest.fixture(scope="session")
def cluster() -> Iterator:
    from ray_cluster import running_cluster

    with running_cluster() as started:
        yield started
