"""A Ray cluster for all tests here, which ends with them."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def cluster() -> Iterator:
    from ray_cluster import running_cluster

    with running_cluster() as started:
        yield started
