"""Plans are near what runs hold on this CPU."""

from pathlib import Path

import plan_memory
import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("plan")
    plan_memory.prepare(made)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"precision": "mixed_bfloat16", "gradient_checkpointing": True},
        {"adapters": True},
    ],
    ids=["float32", "mixed-checkpointed", "lora"],
)
def test_plan_is_within_its_bound_of_what_a_run_holds(folder, options):
    case = plan_memory.Case(**options)
    held = plan_memory.held(folder, case)
    assert plan_memory.planned(folder, case) == pytest.approx(held, rel=0.15)
