import random
from collections import defaultdict
from collections.abc import Iterator

import pytest

from iterpref_assets.core.lab.evaluation import behaviour_digest, load_function
from iterpref_assets.core.lab.features import Sense, Walk
from iterpref_assets.core.lab.inputs import POOL_SIZE, edge_inputs, input_pool
from iterpref_assets.core.lab.problems import COINCIDENCES
from iterpref_assets.core.lab.programs import (
    WALKS,
    Pool,
    Program,
    draw_program,
    siblings,
)
from iterpref_assets.core.lab.rendering import Wording, render_code
from iterpref_assets.core.lab.selection import varied
from iterpref_assets.core.lab.walks import NUMBERS, WORDS


def numbers_program(loop: str, predicate: str, mapping: str, reduction: str, guard: str) -> Program:
    return Program(
        walk=NUMBERS,
        loop=next(option for option in NUMBERS.loops if option.name == loop),
        predicate=next(option for option in NUMBERS.predicates if option.name == predicate),
        mapping=next(option for option in NUMBERS.mappings if option.name == mapping),
        reduction=next(option for option in NUMBERS.reductions if option.name == reduction),
        guard=next(option for option in NUMBERS.guards if option.name == guard),
    )


def all_programs(walk: Walk) -> Iterator[Program]:
    """Every consistent combination of one walk, in a fixed order."""
    for reduction in walk.reductions:
        for mapping in walk.mappings if reduction.mapped else (None,):
            for loop in walk.loops:
                for predicate in walk.predicates:
                    for guard in walk.guards:
                        program = Program(walk, guard, loop, predicate, mapping, reduction)
                        if program.consistent:
                            yield program


def test_a_program_is_rendered_as_its_features_say():
    program = numbers_program("until_zero", "even", "squared", "sum", "empty")
    assert render_code(program, Wording("score", ("items",))) == (
        "def score(items: list[int]) -> int:\n"
        "    if not items:\n"
        "        return -1\n"
        "    total = 0\n"
        "    for x in items:\n"
        "        if x == 0:\n"
        "            break\n"
        "        if x % 2 == 0:\n"
        "            total += x * x\n"
        "    return total"
    )


def test_an_order_that_cannot_matter_is_inconsistent():
    assert not numbers_program("backwards", "even", "squared", "sum", "empty").consistent
    assert numbers_program("backwards", "even", "squared", "listed", "empty").consistent


def test_a_sign_that_cannot_matter_is_inconsistent():
    assert not numbers_program("each", "greater_than_2", "absolute", "sum", "empty").consistent
    assert numbers_program("each", "less_than_4", "absolute", "sum", "empty").consistent


def test_siblings_differ_in_one_feature_and_are_all_different():
    program = numbers_program("each", "even", "squared", "sum", "empty")
    others = list(siblings(program))
    assert len({other.features for other in others}) == len(others)
    for other in others:
        changed = [a != b for a, b in zip(program.features, other.features, strict=True)]
        assert sum(changed) == 1 or (other.reduction.name == "count" and sum(changed) == 2)


def test_every_option_of_one_feature_is_a_sibling():
    program = numbers_program("each", "even", "squared", "listed", "empty")
    loops = {other.loop.name for other in siblings(program)}
    assert loops == {loop.name for loop in NUMBERS.loops}


def test_the_pools_divide_the_tree_in_halves_and_tenths():
    rng = random.Random(0)
    drawn = [draw_program(rng).pool for _ in range(4000)]
    shares = {pool: drawn.count(pool) / len(drawn) for pool in Pool}
    assert shares[Pool.PRETRAINING] == pytest.approx(0.5, abs=0.05)
    assert shares[Pool.TRAIN] == pytest.approx(0.4, abs=0.05)
    assert shares[Pool.HELDOUT] == pytest.approx(0.1, abs=0.03)


def test_a_combination_belongs_to_one_pool_for_ever():
    program = numbers_program("each", "even", "squared", "sum", "empty")
    assert program.digest == "8010bd116110c4b6"
    assert program.pool is Pool.TRAIN


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_input_pools_hold_a_thousand_different_inputs_with_the_edge_cases(walk):
    pool = input_pool(walk.name)
    assert len({repr(arguments) for arguments in pool}) == POOL_SIZE == 1000
    assert pool[: len(edge_inputs(walk))] == edge_inputs(walk)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_every_feature_runs_on_every_edge_case(walk):
    rng = random.Random(1)
    wording = Wording("f", walk.parameters[0])
    for loop in walk.loops:
        for reduction in walk.reductions:
            if loop.sense > reduction.sense:
                continue
            mapping = rng.choice(walk.mappings) if reduction.mapped else None
            program = Program(
                walk, rng.choice(walk.guards), loop, rng.choice(walk.predicates), mapping, reduction
            )
            function = load_function(render_code(program, wording), "f")
            for arguments in edge_inputs(walk):
                function(*arguments)


def test_feature_names_are_unique_among_their_alternatives():
    for walk in WALKS:
        for options in (
            walk.guards, walk.loops, walk.predicates, walk.mappings, walk.reductions,
        ):  # fmt: skip
            names = [option.name for option in options]
            assert len(set(names)) == len(names)


def test_every_sense_has_a_reduction_in_every_walk():
    for walk in WALKS:
        assert {reduction.sense for reduction in walk.reductions} >= {Sense.BAG, Sense.ORDER}


@pytest.mark.slow
def test_the_tree_holds_more_than_fifty_thousand_different_functions():
    results = set[tuple[str, ...]]()
    for walk in WALKS:
        wording, inputs = Wording("f", walk.parameters[0]), input_pool(walk.name)[:40]
        for program in all_programs(walk):
            if not program.guard.condition:
                function = load_function(render_code(program, wording), "f")
                results.add((walk.name, *(repr(function(*arguments)) for arguments in inputs)))
        if len(results) > 50_000:
            break
    assert len(results) > 50_000


@pytest.mark.slow
def test_programs_that_behave_alike_are_siblings_or_listed():
    wording, pool = Wording("f", WORDS.parameters[0]), input_pool(WORDS.name)
    similar, alike = (defaultdict[str, list[Program]](list) for _ in range(2))
    for program in all_programs(WORDS):
        function = load_function(render_code(program, wording), "f")
        if varied(function, pool):
            similar[behaviour_digest(function, pool[:60])].append(program)
    for group in similar.values():
        for program in group if len(group) > 1 else ():
            function = load_function(render_code(program, wording), "f")
            alike[behaviour_digest(function, pool)].append(program)
    for group in alike.values():
        features = {program.features for program in group}
        alone = [
            program
            for program in group
            if not features & {sibling.features for sibling in siblings(program)}
            and program.features not in COINCIDENCES
        ]
        assert len(alone) <= 1
