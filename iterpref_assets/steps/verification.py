"""What the asset checks ask of published artifacts: what was looked at, and what offends there."""

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
from iterpref_assets.steps.findings import Findings, Offender
from iterpref_assets.steps.heldout_problems import SEEDS, read_problems, training_problems
from iterpref_assets.steps.pairs import read_kept_pairs, tokenized_pairs
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.trajectories import VERSIONS_FILE

Verification: TypeAlias = Callable[[Settings, ArtifactStore, Sequence[str]], Findings]
"""Looks at published shards by executing programs."""

PAIRS = "codeflow_pairs"


def failing_references(settings: Settings, store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Problems whose reference solution fails their own tests."""
    problems = list(training_problems(store, shards))
    run = [(shard, problem) for shard, problem in problems if problem.reference]
    executions = _judge(settings, [(problem.reference, problem) for _, problem in run])
    offenders = [
        Offender(
            name=problem.problem_id,
            reason=f"{execution.verdict} {execution.message}",
            asset=SEEDS,
            partition=shard,
        )
        for (shard, problem), execution in zip(run, executions, strict=True)
        if not execution.passed
    ]
    return Findings.of({"problems": len(problems), "programs": len(run)}, offenders)


def lab_siblings(store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Lab problems that a differing program, one feature away, passes."""
    from iterpref_assets.core.lab.siblings import surviving_siblings

    ours = [each for each in training_problems(store, shards) if each[1].source == LAB]
    offenders = [
        Offender(name=problem.problem_id, reason=str(sibling), asset=SEEDS, partition=shard)
        for shard, problem in ours
        for sibling in surviving_siblings(problem)
    ]
    return Findings.of({"lab problems": len(ours)}, offenders)


def leaked_problems(store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Training problems that are held-out ones too: by id, prompt or reference solution.

    Lab problems are also compared by what they were composed of and by how they behave: the
    held-out one is named then.
    """
    from iterpref_assets.core.lab.siblings import leaks

    training = list(training_problems(store, shards))
    heldout = read_problems(store, ArtifactKey("heldout_problems"))
    known = {part for problem in heldout for part in _identities(problem)}
    shared = [
        Offender(name=problem.problem_id, reason="is held out too", asset=SEEDS, partition=shard)
        for shard, problem in training
        if known & _identities(problem)
    ]
    seeds = [problem for _, problem in training]
    ours = [[p for p in problems if p.source == LAB] for problems in (seeds, heldout)]
    twins = [
        Offender(name=name, reason="a training problem is its twin", asset="heldout_problems")
        for name in leaks(*ours)
    ]
    counts = {"problems": len(training), "held-out problems": len(heldout)}
    return Findings.of(counts, [*shared, *twins])


def _identities(problem: Problem) -> set[tuple[str, str]]:
    parts = {"id": problem.problem_id, "prompt": problem.prompt, "reference": problem.reference}
    return {(name, value) for name, value in parts.items() if value}


def leaking_prompts(store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Debugging turns whose prompt tells more of the tests than the failures shown so far."""
    offenders: list[Offender] = []
    trajectories = programs = 0
    for shard in shards:
        problems = {problem.problem_id: problem for _, problem in training_problems(store, [shard])}
        debugged = store.current(ArtifactKey("debug_trajectories", shard))
        prompts = Prompts.of_identity(debugged.manifest.config["prompts"])
        versions = tables.read_table(debugged.path(VERSIONS_FILE), tables.VERSIONS)
        literals = {name: literals_by_test(problem.tests) for name, problem in problems.items()}
        programs += versions.height
        for rows in versions.partition_by("trajectory_id", maintain_order=True):
            trajectories += 1
            name, problem = rows["trajectory_id"][0], problems[rows["problem_id"][0]]
            offenders += [
                Offender(
                    name=f"{name} round {leak.round}",
                    reason=leak.literal,
                    asset=debugged.manifest.asset,
                    partition=shard,
                )
                for leak in leaks(
                    problem, prompts.statement(problem), literals[problem.problem_id], rows
                )
            ]
    return Findings.of({"trajectories": trajectories, "programs": programs}, offenders)


def equal_pairs(store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Kept pairs whose chosen equals their own rejected, or that of a pair of the same problem."""
    kept = _kept_pairs(store, shards, ["pair_id", "problem_id", "chosen", "rejected"])
    rejected = kept.select("problem_id", chosen="rejected")
    equal = kept.join(rejected, on=["problem_id", "chosen"], how="semi", maintain_order="left")
    return Findings.of(
        {"pairs": kept.height, "problems": kept["problem_id"].n_unique()},
        [_pair(name, shard) for name, shard in equal.select("pair_id", "shard").iter_rows()],
    )


def failing_chosen(settings: Settings, store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Kept pairs whose chosen program fails when executed again."""
    return _judged_pairs(settings, store, shards, "chosen", lambda each: not each.passed)


def unfailing_rejected(settings: Settings, store: ArtifactStore, shards: Sequence[str]) -> Findings:
    """Kept pairs whose rejected program passes or is refused when executed again."""
    return _judged_pairs(
        settings, store, shards, "rejected", lambda each: each.verdict in NOT_FAILING
    )


EXECUTING: dict[str, Verification] = {
    verification.__name__: verification
    for verification in (failing_references, failing_chosen, unfailing_rejected)
}
"""By name, as a worker is asked for one."""


def unfocused_pairs(store: ArtifactStore, base_models: Sequence[str]) -> Findings:
    """Tokenized pairs without a focal token."""
    offenders: list[Offender] = []
    pairs = 0
    for name in base_models:
        tokens = tokenized_pairs(store, name)
        pairs += tokens.height
        without = tokens.filter(~pl.col("rejected_mask").list.any())
        offenders += [
            Offender(name=f"{name}: {pair_id}", asset="preference_pairs", partition=name)
            for pair_id in without["pair_id"]
        ]
    return Findings.of({"pairs": pairs}, offenders)


def worse_than_reference(store: ArtifactStore, partitions: Sequence[str]) -> Findings:
    """Checkpoints whose greedy pass@1 lies below their reference model's, where both are scored."""
    offenders: list[Offender] = []
    compared = 0
    for partition in partitions:
        model = ModelVariant.parse(partition)
        reference = ArtifactKey("heldout_scores", ModelVariant(model.base_model, REFERENCE).key)
        if model.is_reference or store.find(reference) is None:
            continue
        compared += 1
        ours = _pass_at_1(store, ArtifactKey("heldout_scores", partition))
        theirs = _pass_at_1(store, reference)
        if ours < theirs:
            offenders.append(
                Offender(
                    name=partition,
                    reason=f"{ours:.1%} against {theirs:.1%}",
                    asset="heldout_scores",
                    partition=partition,
                )
            )
    return Findings.of({"checkpoints": compared}, offenders)


def _pass_at_1(store: ArtifactStore, key: ArtifactKey) -> float:
    frame = tables.read_scores(store.current(key).path(GREEDY_FILE))
    return summarize(frame, EvaluationConfig()).pass_at_1


def _pair(name: str, shard: str) -> Offender:
    return Offender(name=name, asset=PAIRS, partition=shard)


def _kept_pairs(
    store: ArtifactStore, shards: Sequence[str], columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of the kept pairs of some shards, and the shard of each."""
    none = read_kept_pairs(store, [], columns).with_columns(shard=pl.lit(""))
    each = (
        read_kept_pairs(store, [shard], columns).with_columns(shard=pl.lit(shard))
        for shard in shards
    )
    return pl.concat([none, *each])


def _judged_pairs(
    settings: Settings,
    store: ArtifactStore,
    shards: Sequence[str],
    side: str,
    offends: Callable[[Execution], bool],
) -> Findings:
    """Kept pairs whose program of one side offends when executed again."""
    kept = _kept_pairs(store, shards, ["pair_id", "problem_id", side])
    problems = {problem.problem_id: problem for _, problem in training_problems(store, shards)}
    work = [(code, problems[name]) for code, name in kept.select(side, "problem_id").iter_rows()]
    executions = _judge(settings, work)
    named = kept.select("pair_id", "shard").iter_rows()
    offenders = [
        _pair(name, shard)
        for (name, shard), execution in zip(named, executions, strict=True)
        if offends(execution)
    ]
    counts = {"programs": kept.height, "problems": kept["problem_id"].n_unique()}
    return Findings.of(counts, offenders)


def _judge(settings: Settings, work: Iterable[tuple[str, Problem]]) -> list[Execution]:
    with Sandbox(packages=settings.packages) as sandbox:
        tested = ((code, problem.tests) for code, problem in work)
        return judge_all(sandbox, tested, settings.limits)
