"""Fixtures shared by every test."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published benchmark data, samples and trajectories beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the published data sets in ../shared/data, which are not here")
    return SHARED_DATA
