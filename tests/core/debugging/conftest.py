"""The problems of the debugging tests."""

import polars as pl
import pytest
from debugging_doubles import make_problem, scripted_initial

from iterpref_assets.core.records import Problem


@pytest.fixture
def problems() -> list[Problem]:
    return [make_problem(0), make_problem(1), make_problem(3), make_problem(9)]


@pytest.fixture
def initial(problems: list[Problem], tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return scripted_initial(problems, tmp_path_factory.mktemp("initial"))
