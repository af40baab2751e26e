"""A sandbox that can measure coverage, shared by the tests of this folder."""

from collections.abc import Iterator

import pytest
from patient_sandbox import PatientSandbox

from iterpref_assets.core.quality.coverage import PACKAGE
from iterpref_assets.core.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with PatientSandbox(1, packages=(PACKAGE,)) as opened:
        yield opened
