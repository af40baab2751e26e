"""Composing the lab's problems: the seed problems of the default run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.config import LabConfig, shard_names
from iterpref_assets.core.lab.evaluation import load_function
from iterpref_assets.core.lab.inputs import edge_inputs, input_pool
from iterpref_assets.core.lab.programs import Pool, Program, draw_program, siblings
from iterpref_assets.core.lab.rendering import (
    draw_wording,
    render_code,
    render_signature,
    render_statement,
)
from iterpref_assets.core.lab.selection import select_inputs, varied
from iterpref_assets.core.prompts import problem_prompt
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.records import Case, FunctionTests, Problem, Split

SOURCE = "lab"

COINCIDENCES = frozenset(
    (
        ("string", "words", "backwards", "with_o", "length", "longest", "long"),
        ("number", "range", "second", "not_1", "halved", "sum", "even_end"),
    )
)
"""Programs that behave like one that differs in two or more features: all there are, found by
comparing the whole tree on the input pools."""

FUTILE_DRAWS = 1_000_000
"""Draws in a row without a new problem after which none is taken to be left."""


def compose_shard(config: LabConfig, shard_name: str) -> list[Problem]:
    """The training problems of one shard; shards share no combination of features.

    Raises:
        InputError: where `config` has no such shard, or asks for more problems than there are.
    """
    names = shard_names(config)
    if shard_name not in names:
        raise InputError(
            f"no shard {shard_name!r}",
            field="shards",
            remedy=f"Choose one of {names[0]} to {names[-1]} or raise the number of shards",
        )
    index = names.index(shard_name)

    def wanted(program: Program) -> bool:
        return program.pool is Pool.TRAIN and int(program.digest, 16) % len(names) == index

    problems = _compose(config, Split.TRAIN, shard_name, wanted)
    return _take(problems, config.problems_per_shard, "problems_per_shard")


def compose_heldout(config: LabConfig) -> list[Problem]:
    """The held-out problems: combinations that no shard and no pretraining text contains.

    Raises:
        InputError: where `config` asks for more than there are.
    """

    def wanted(program: Program) -> bool:
        return program.pool is Pool.HELDOUT

    problems = _compose(config, Split.HELDOUT, "heldout", wanted)
    return _take(problems, config.heldout_problems, "heldout_problems")


def compose_problem(config: LabConfig, program: Program, split: Split) -> Problem | None:
    """The problem of `program`, or None where it has no tests of its own.

    That is where another program behaves the same on the whole input pool, most often a sibling
    (a feature would not matter), or where the results hardly vary.
    """
    rng = derive_rng("lab problem", config.seed, program.digest)
    wording = draw_wording(program, rng)
    statement = render_statement(program, wording, rng)
    reference = render_code(program, wording)
    function = load_function(reference, wording.entry_point)
    pool = input_pool(program.walk.name)
    if program.features in COINCIDENCES or not varied(function, pool):
        return None
    others = [
        load_function(render_code(sibling, wording), wording.entry_point)
        for sibling in siblings(program)
    ]
    inputs = select_inputs(
        function,
        others,
        pool=pool,
        edges=edge_inputs(program.walk),
        count=config.cases_per_problem,
        rng=rng,
    )
    if inputs is None:
        return None
    signature = render_signature(program, wording)
    cases = tuple(
        Case(arguments=repr(arguments), expected=repr(function(*arguments))) for arguments in inputs
    )
    return Problem(
        problem_id=f"lab-{program.digest}",
        source=SOURCE,
        split=split,
        prompt=problem_prompt(statement, signature),
        entry_point=wording.entry_point,
        signature=signature,
        tests=FunctionTests(entry_point=wording.entry_point, cases=cases),
        reference=reference,
        features=program.features,
    )


def _take(problems: Iterator[Problem], count: int, field: str) -> list[Problem]:
    taken = list(itertools.islice(problems, count))
    if len(taken) < count:
        raise InputError(
            f"no more than {len(taken):,} of {count:,} problems were found",
            field=field,
            remedy=f"Ask for at most {len(taken):,}",
        )
    return taken


def _compose(
    config: LabConfig, split: Split, name: str, wanted: Callable[[Program], bool]
) -> Iterator[Problem]:
    """Problems in the order in which they are drawn, until FUTILE_DRAWS in a row bring no other."""
    rng = derive_rng("lab draw", config.seed, name)
    tried = set[str]()
    futile = 0
    while futile < FUTILE_DRAWS:
        futile += 1
        program = draw_program(rng)
        if not wanted(program) or program.digest in tried:
            continue
        tried.add(program.digest)
        problem = compose_problem(config, program, split)
        if problem is not None:
            yield problem
            futile = 0
