import pytest

from iterpref_assets.core.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.sandbox


def imports(name: str) -> str:
    return f"def f():\n    import {name}\n    return {name}.__name__"


def test_a_program_may_import_what_it_was_granted(sandbox):
    (outcome,) = sandbox.run_calls(imports("numpy"), "f", [()]).outcomes
    assert outcome.value() == "numpy"


@pytest.mark.parametrize("name", ["numpy", "pip", "setuptools", "polars"])
def test_a_program_may_import_nothing_else_that_is_installed(name):
    with Sandbox(1) as sandbox:
        (outcome,) = sandbox.run_calls(imports(name), "f", [()]).outcomes
    assert outcome.error_type == "ModuleNotFoundError"


def test_a_script_can_end_itself_with_exit(sandbox):
    assert sandbox.run_program("print(1)\nexit()\nprint(2)", "").stdout == b"1\n"
