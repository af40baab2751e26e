"""What a check asks of finished problems: do siblings fail, is held-out behaviour really new."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.evaluation import behaviour_digest, load_function
from iterpref_assets.core.lab.inputs import input_pool
from iterpref_assets.core.lab.programs import UNMAPPED, WALKS, Program, siblings
from iterpref_assets.core.lab.rendering import Wording, render_code
from iterpref_assets.core.records import Case, FunctionTests, Problem


def surviving_siblings(problem: Problem) -> list[tuple[str, ...]]:
    """The features of each sibling that passes all tests of `problem` but is another function.

    None survive the tests the lab composes. Another function is one with another result somewhere
    on the input pool.

    Raises:
        InputError: where the problem is not one of the lab's.
    """
    program = find_program(problem)
    if not isinstance(problem.tests, FunctionTests):
        raise _not_of_the_lab(problem, "tests")
    cases = [
        (ast.literal_eval(case.arguments), ast.literal_eval(case.expected))
        for case in problem.tests.cases
        if isinstance(case, Case)
    ]
    function = load_function(problem.reference, problem.entry_point)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    wording = Wording(problem.entry_point, names)
    surviving: list[tuple[str, ...]] = []
    for sibling in siblings(program):
        other = load_function(render_code(sibling, wording), problem.entry_point)
        if all(other(*arguments) == expected for arguments, expected in cases) and any(
            other(*arguments) != function(*arguments) for arguments in input_pool(program.walk.name)
        ):
            surviving.append(sibling.features)
    return surviving


def leaks(train: Iterable[Problem], heldout: Iterable[Problem]) -> list[str]:
    """The ids of held-out problems whose features or behaviour some training problem shares.

    Behaviour is what the reference solution returns on the 1,000 inputs of the pool.
    """
    known = set[str]()
    for problem in train:
        known.update(_identities(problem))
    return [problem.problem_id for problem in heldout if known.intersection(_identities(problem))]


def find_program(problem: Problem) -> Program:
    """The point of the feature tree that `problem` was composed from.

    Raises:
        InputError: where its features are none of this version's.
    """
    try:
        _, walk_name, loop, predicate, mapping, reduction, guard = problem.features
        walk = _named(WALKS, walk_name)
        return Program(
            walk=walk,
            loop=_named(walk.loops, loop),
            predicate=_named(walk.predicates, predicate),
            mapping=None if mapping == UNMAPPED else _named(walk.mappings, mapping),
            reduction=_named(walk.reductions, reduction),
            guard=_named(walk.guards, guard),
        )
    except (ValueError, StopIteration):
        raise _not_of_the_lab(problem, "features") from None


def _identities(problem: Problem) -> tuple[str, str]:
    program = find_program(problem)
    function = load_function(problem.reference, problem.entry_point)
    results = behaviour_digest(function, input_pool(program.walk.name))
    return repr(problem.features), f"{program.walk.name} {results}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Option = TypeVar("_Option", bound=_Named)


def _named(options: Sequence[_Option], name: str) -> _Option:
    return next(option for option in options if option.name == name)


def _not_of_the_lab(problem: Problem, field: str) -> InputError:
    return InputError(
        f"{problem.problem_id} was not composed by this version of the lab",
        field=field,
        remedy="Materialize the seed problems again",
    )
