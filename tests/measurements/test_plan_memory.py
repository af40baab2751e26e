"""Plans are near what runs hold on this CPU."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "measurements" / "plan_memory.py"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory):
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        specification = importlib.util.spec_from_file_location("plan_memory", SCRIPT)
        module = importlib.util.module_from_spec(specification)
        sys.modules["plan_memory"] = module
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPT.parent))
    folder = tmp_path_factory.mktemp("plan")
    module.prepare(folder)
    return module, folder


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
def test_plan_is_within_its_bound_of_what_a_run_holds(measured, options):
    module, folder = measured
    case = module.Case(**options)
    assert module.planned(folder, case) == pytest.approx(module.held(folder, case), rel=0.15)
