import ast

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab import problems
from iterpref_assets.core.lab.config import LabConfig, shard_names
from iterpref_assets.core.lab.evaluation import behaviour_digest, load_function
from iterpref_assets.core.lab.features import Kind
from iterpref_assets.core.lab.inputs import input_pool
from iterpref_assets.core.lab.problems import compose_heldout, compose_shard
from iterpref_assets.core.lab.siblings import find_program, leaks, surviving_siblings
from iterpref_assets.core.records import Case, FunctionTests, Problem, Split

CONFIG = LabConfig(shards=2, problems_per_shard=40, heldout_problems=40)


@pytest.fixture(scope="module")
def shard() -> list[Problem]:
    return compose_shard(CONFIG, "lab-000")


@pytest.fixture(scope="module")
def heldout() -> list[Problem]:
    return compose_heldout(CONFIG)


def function_tests(problem: Problem) -> FunctionTests:
    assert isinstance(problem.tests, FunctionTests)
    return problem.tests


def test_shards_are_named_with_three_digits():
    assert shard_names(LabConfig(shards=2)) == ("lab-000", "lab-001")


def test_an_unknown_shard_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match="lab-000 to lab-001"):
        compose_shard(CONFIG, "lab-002")


def test_the_same_configuration_composes_the_same_problems(shard: list[Problem]):
    assert compose_shard(CONFIG, "lab-000") == shard


def test_a_larger_shard_starts_with_the_problems_of_a_smaller_one(shard: list[Problem]):
    larger = compose_shard(CONFIG.model_copy(update={"problems_per_shard": 50}), "lab-000")
    assert larger[:40] == shard


@pytest.fixture
def few_programs(heldout: list[Problem], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of three held-out problems, of whose programs alone anything is drawn."""
    few = [find_program(problem) for problem in heldout[:3]]
    monkeypatch.setattr(problems, "draw_program", lambda rng: rng.choice(few))
    monkeypatch.setattr(problems, "FUTILE_DRAWS", 1000)
    return sorted(problem.problem_id for problem in heldout[:3])


def test_every_combination_there_is_can_be_asked_for(few_programs: list[str]):
    config = CONFIG.model_copy(update={"heldout_problems": 3})
    assert sorted(problem.problem_id for problem in compose_heldout(config)) == few_programs


def test_more_heldout_problems_than_there_are_combinations_are_refused(few_programs: list[str]):
    config = CONFIG.model_copy(update={"heldout_problems": 4})
    with pytest.raises(InputError, match="no more than 3 of 4 problems") as caught:
        compose_heldout(config)
    assert caught.value.field == "heldout_problems"


def test_more_training_problems_than_there_are_combinations_are_refused(few_programs: list[str]):
    with pytest.raises(InputError, match="no more than 0 of 40 problems") as caught:
        compose_shard(CONFIG, "lab-000")
    assert caught.value.field == "problems_per_shard"


def test_every_kind_of_input_occurs(shard: list[Problem]):
    assert {problem.features[0] for problem in shard} == set(Kind)


def test_reference_solutions_pass_their_tests(shard: list[Problem]):
    for problem in shard:
        function = load_function(problem.reference, problem.entry_point)
        for case in function_tests(problem).cases:
            assert function(*ast.literal_eval(case.arguments)) == ast.literal_eval(case.expected)


def test_tests_are_at_least_as_many_as_configured_and_all_different(shard: list[Problem]):
    for problem in shard:
        cases = function_tests(problem).cases
        assert len({case.arguments for case in cases}) == len(cases) >= CONFIG.cases_per_problem


def test_no_sibling_passes_the_tests(shard: list[Problem]):
    assert [surviving_siblings(problem) for problem in shard] == [[]] * len(shard)


def test_siblings_survive_tests_that_are_too_few(shard: list[Problem]):
    tests = function_tests(shard[0])
    weak = shard[0].model_copy(
        update={"tests": tests.model_copy(update={"cases": tests.cases[:1]})}
    )
    assert surviving_siblings(weak)


def test_references_have_control_flow_and_three_to_thirteen_lines(shard: list[Problem]):
    for problem in shard:
        lines = problem.reference.splitlines()
        assert 3 <= len(lines) <= 13
        assert any(line.strip().startswith("for ") for line in lines)
        assert any(line.strip().startswith("if ") for line in lines)


def test_prompts_hold_the_signature_that_the_reference_starts_with(shard: list[Problem]):
    for problem in shard:
        assert problem.reference.startswith(problem.signature)
        assert problem.prompt.endswith(f"Function signature:\n{problem.signature}\n")


def test_shards_share_no_features(shard: list[Problem]):
    other = compose_shard(CONFIG, "lab-001")
    assert not {p.features for p in shard} & {p.features for p in other}


def test_problems_of_both_splits_behave_differently(shard: list[Problem], heldout: list[Problem]):
    digests = {
        (
            problem.features[1],
            behaviour_digest(
                load_function(problem.reference, problem.entry_point),
                input_pool(problem.features[1]),
            ),
        )
        for problem in [*shard, *heldout]
    }
    assert len(digests) == len(shard) + len(heldout)


def test_heldout_problems_are_marked_and_leak_nowhere(shard: list[Problem], heldout: list[Problem]):
    assert {problem.split for problem in heldout} == {Split.HELDOUT}
    assert leaks(shard, heldout) == []


def test_a_heldout_problem_under_another_name_is_found_leaks(heldout: list[Problem]):
    copy = heldout[3].model_copy(update={"problem_id": "lab-copy", "split": Split.TRAIN})
    assert leaks([copy], heldout) == [heldout[3].problem_id]


def test_a_problem_of_other_features_is_refused(shard: list[Problem]):
    foreign = shard[0].model_copy(update={"features": ("list", "numbers")})
    with pytest.raises(InputError, match="not composed by this version"):
        find_program(foreign)


def test_features_lead_back_to_the_program(shard: list[Problem]):
    assert [find_program(p).features for p in shard] == [p.features for p in shard]


def test_a_wrong_expectation_is_no_sibling_matter(shard: list[Problem]):
    impossible = FunctionTests(
        entry_point=shard[0].entry_point,
        cases=(Case(arguments=function_tests(shard[0]).cases[0].arguments, expected="'no'"),),
    )
    assert surviving_siblings(shard[0].model_copy(update={"tests": impossible})) == []
