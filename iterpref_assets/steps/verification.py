"""What the asset checks ask of published artifacts: a line per offender, none if all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.debugging.leaks import leaks, literals_by_test
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import summarize
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox, judge_all
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Execution
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.pairs import read_kept_pairs, read_tokens
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.trajectories import VERSIONS_FILE

Verification: TypeAlias = Callable[[Settings, ArtifactStore, Sequence[str]], list[str]]
"""Finds offenders in published shards, by executing programs."""


def failing_references(
    settings: Settings, store: ArtifactStore, shards: Sequence[str]
) -> list[str]:
    """Problems whose reference solution fails their own tests."""
    problems = [problem for problem in _training_problems(store, shards) if problem.reference]
    executions = _judge(settings, [(problem.reference, problem) for problem in problems])
    return [
        f"{problem.problem_id}: {execution.verdict} {execution.message}"
        for problem, execution in zip(problems, executions, strict=True)
        if not execution.passed
    ]


def lab_siblings(store: ArtifactStore, shards: Sequence[str]) -> list[str]:
    """Lab problems that a differing program, one feature away, passes."""
    from iterpref_assets.core.lab.siblings import surviving_siblings

    return [
        f"{problem.problem_id}: {sibling}"
        for problem in _training_problems(store, shards)
        if problem.source == LAB
        for sibling in surviving_siblings(problem)
    ]


def leaked_problems(store: ArtifactStore, shards: Sequence[str]) -> list[str]:
    """Training problems that are held-out ones too: by id, prompt or reference solution.

    Lab problems are also compared by what they were composed of and by how they behave.
    """
    from iterpref_assets.core.lab.siblings import leaks

    training = _training_problems(store, shards)
    heldout = read_problems(store, ArtifactKey("heldout_problems"))
    known = {part for problem in heldout for part in _identities(problem)}
    shared = [problem.problem_id for problem in training if known & _identities(problem)]
    ours = [[p for p in problems if p.source == LAB] for problems in (training, heldout)]
    return [*shared, *leaks(*ours)]


def _identities(problem: Problem) -> set[tuple[str, str]]:
    parts = {"id": problem.problem_id, "prompt": problem.prompt, "reference": problem.reference}
    return {(name, value) for name, value in parts.items() if value}


def leaking_prompts(store: ArtifactStore, shards: Sequence[str]) -> list[str]:
    """Debugging turns whose prompt tells more of the tests than the failures shown so far."""
    offenders: list[str] = []
    for shard in shards:
        problems = {problem.problem_id: problem for problem in _training_problems(store, [shard])}
        debugged = store.current(ArtifactKey("debug_trajectories", shard))
        prompts = Prompts.of_identity(debugged.manifest.config["prompts"])
        versions = tables.read_table(debugged.path(VERSIONS_FILE), tables.VERSIONS)
        literals = {name: literals_by_test(problem.tests) for name, problem in problems.items()}
        for rows in versions.partition_by("trajectory_id", maintain_order=True):
            name, problem = rows["trajectory_id"][0], problems[rows["problem_id"][0]]
            offenders += [
                f"{name} round {leak.round}: {leak.literal}"
                for leak in leaks(
                    problem, prompts.statement(problem), literals[problem.problem_id], rows
                )
            ]
    return offenders


def equal_pairs(store: ArtifactStore, shards: Sequence[str]) -> list[str]:
    """Kept pairs whose chosen equals their own rejected, or that of a pair of the same problem."""
    columns = ["pair_id", "problem_id", "chosen", "rejected"]
    kept = read_kept_pairs(store, shards, columns)
    rejected = kept.select("problem_id", chosen="rejected")
    return kept.join(rejected, on=["problem_id", "chosen"], how="semi", maintain_order="left")[
        "pair_id"
    ].to_list()


def failing_chosen(settings: Settings, store: ArtifactStore, shards: Sequence[str]) -> list[str]:
    """Kept pairs whose chosen program fails when executed again."""
    executions = _judge_pairs(settings, store, shards, "chosen")
    return [name for name, execution in executions if not execution.passed]


def unfailing_rejected(
    settings: Settings, store: ArtifactStore, shards: Sequence[str]
) -> list[str]:
    """Kept pairs whose rejected program passes or is refused when executed again."""
    executions = _judge_pairs(settings, store, shards, "rejected")
    return [name for name, execution in executions if execution.verdict in NOT_FAILING]


EXECUTING: dict[str, Verification] = {
    verification.__name__: verification
    for verification in (failing_references, failing_chosen, unfailing_rejected)
}
"""By name, as a worker is asked for one."""


def unfocused_pairs(store: ArtifactStore, base_models: Sequence[str]) -> list[str]:
    """Tokenized pairs without a focal token."""
    offenders: list[str] = []
    for name in base_models:
        tokens = read_tokens(store, name)
        without = tokens.filter(~pl.col("rejected_mask").list.any())
        offenders += [f"{name}: {pair_id}" for pair_id in without["pair_id"]]
    return offenders


def worse_than_reference(store: ArtifactStore, partitions: Sequence[str]) -> list[str]:
    """Checkpoints whose greedy pass@1 lies below their reference model's, where both are scored."""
    offenders: list[str] = []
    for partition in partitions:
        model = ModelVariant.parse(partition)
        reference = ArtifactKey("heldout_scores", ModelVariant(model.base_model, REFERENCE).key)
        if model.is_reference or store.find(reference) is None:
            continue
        ours = _pass_at_1(store, ArtifactKey("heldout_scores", partition))
        theirs = _pass_at_1(store, reference)
        if ours < theirs:
            offenders.append(f"{partition}: {ours:.1%} against {theirs:.1%}")
    return offenders


def _pass_at_1(store: ArtifactStore, key: ArtifactKey) -> float:
    frame = tables.read_table(store.current(key).path(GREEDY_FILE), tables.SCORES)
    return summarize(frame, EvaluationConfig()).pass_at_1


def _training_problems(store: ArtifactStore, shards: Sequence[str]) -> list[Problem]:
    keys = [ArtifactKey("seed_problems", shard) for shard in shards]
    return [problem for key in keys for problem in read_problems(store, key)]


def _judge_pairs(
    settings: Settings, store: ArtifactStore, shards: Sequence[str], side: str
) -> list[tuple[str, Execution]]:
    kept = read_kept_pairs(store, shards, ["pair_id", "problem_id", side])
    problems = {problem.problem_id: problem for problem in _training_problems(store, shards)}
    work = [(code, problems[name]) for code, name in kept.select(side, "problem_id").iter_rows()]
    return list(zip(kept["pair_id"], _judge(settings, work), strict=True))


def _judge(settings: Settings, work: Iterable[tuple[str, Problem]]) -> list[Execution]:
    with Sandbox(packages=settings.packages) as sandbox:
        tested = ((code, problem.tests) for code, problem in work)
        return judge_all(sandbox, tested, settings.limits)
