"""What programs begin with runs once in the server, and each goes on there as if it had run it."""

import pytest
from patient_sandbox import PatientSandbox

pytestmark = pytest.mark.sandbox

OPENING = "import time\nborn, seen = time.perf_counter_ns(), []\n"
LOOK = "def f(n):\n    seen.append(n)\n    return born, list(seen)\n"


@pytest.fixture(scope="module")
def sandbox():
    with PatientSandbox(workers=1, opening=OPENING) as running:
        yield running


def values(sandbox, code, *arguments):
    run = sandbox.run_calls(code, "f", list(arguments))
    return [outcome.value() for outcome in run.outcomes]


def test_the_opening_runs_once_for_all_programs_that_begin_with_it(sandbox):
    ((first, _),) = values(sandbox, OPENING + LOOK, (1,))
    ((second, _),) = values(sandbox, OPENING + LOOK, (1,))
    assert first == second


def test_a_program_finds_nothing_of_what_another_did_to_the_openings_objects(sandbox):
    assert [seen for _, seen in values(sandbox, OPENING + LOOK, (1,), (2,))] == [[1], [1, 2]]
    assert [seen for _, seen in values(sandbox, OPENING + LOOK, (3,))] == [[3]]


def test_a_program_that_begins_otherwise_finds_none_of_its_names(sandbox):
    (outcome,) = sandbox.run_calls(LOOK, "f", [(1,)]).outcomes
    assert outcome.raised.error_type == "NameError"


def test_a_program_that_begins_almost_so_runs_all_of_its_text(sandbox):
    ((born, _),) = values(sandbox, OPENING.replace("time.perf_counter_ns()", "7") + LOOK, (1,))
    assert born == 7


def test_an_exception_is_told_with_its_line_in_the_whole_program(sandbox):
    (outcome,) = sandbox.run_calls(f"{OPENING}def f():\n    return 1 / 0\n", "f", [()]).outcomes
    assert outcome.raised.line == 4


def test_names_bound_in_the_opening_are_the_programs_to_bind(sandbox):
    assert values(sandbox, f"{OPENING}born = 3\ndef f():\n    return born, __name__\n", ()) == [
        (3, "solution")
    ]
