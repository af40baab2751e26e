"""From the artifacts of the experiment's grid to its result tables."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.checkout import commit_of
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.experiment.arms import ARMS, SECOND_ROUNDS, Arm, Cell, arm_named
from iterpref_assets.core.experiment.choosing import part_heldout, solved_share
from iterpref_assets.core.experiment.reportable import reportable
from iterpref_assets.core.experiment.results import (
    BENCHMARKS,
    CELLS,
    CURVES,
    SAMPLED,
    SCORES,
    TASKS,
    Results,
    curve_rows,
    write_results,
)
from iterpref_assets.core.experiment.rounds import Drawn, solved_by_calls
from iterpref_assets.core.records import Problem
from iterpref_assets.core.syntax import program_key
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.exporting_pairs import first_pairs, focal_shares, kinds, second_pairs, standing
from iterpref_assets.exporting_recorded import made_of_results, with_recorded
from iterpref_assets.settings import Settings
from iterpref_assets.steps.checkpoints import METRICS_FILE
from iterpref_assets.steps.evaluations import GREEDY_FILE, SAMPLED_FILE
from iterpref_assets.steps.experiment import EXPERIMENT_MODELS, sizes
from iterpref_assets.steps.experiment_benchmarks import (
    EXPERIMENT_BENCHMARKS,
    benchmarks_of,
    scores_file,
)
from iterpref_assets.steps.experiment_rates import all_tried
from iterpref_assets.steps.experiment_recorded import require_recorded
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES, calls_by_problem
from iterpref_assets.steps.experiment_scores import (
    EXPERIMENT_SAMPLED,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
)
from iterpref_assets.steps.experiment_second import EXPERIMENT_SECOND_MODELS, first_round
from iterpref_assets.steps.experiment_stronger import EXPERIMENT_STRONGER, STRONGER_FILE
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE

_log = logging.getLogger("iterpref")


def export_grid(settings: Settings, folder: Path) -> list[Path]:
    """Write the tables of every cell that is current to `folder`; the files.

    The page takes a base model's name from its folder, so `folder` must be named like it.

    Rates and seeds that the settings do not name are written too. Cells that other options made,
    those whose pairs are out of date or were made anew since, and second rounds whose first one is
    not current are left out. So are scores at a rate that seed 0 is not validated at: nothing says
    whether the rate is the arm's best. What `experiment.recorded` holds and stands is taken over.

    Raises:
        InputError: where `folder` has another name, no score is current, or the reference lacks
            one.
    """
    _check_name(folder, sizes(settings).base_model)
    require_recorded(settings)
    context = StepContext(settings, ArtifactStore(settings.root))
    assets = EXPERIMENT_VALIDATION.asset, EXPERIMENT_SCORES.asset
    # Rates are chosen with seed 0 alone: other seeds are scored and not validated.
    keys = sorted({key for asset in assets for key in context.store.partitions(asset)}, key=_place)
    models, pairs = _models(context, [key for key in keys if key != REFERENCE])
    # A score names its model as it is now, not what that would be made of today.
    current = [key for key in keys if key == REFERENCE or Cell.parse(key) in models]
    validation = _standing(context, EXPERIMENT_VALIDATION, current)
    scores = _standing(context, EXPERIMENT_SCORES, current)
    kept = [cell for cell in map(Cell.parse, current) if cell in validation or cell in scores]
    stronger = _standing(context, EXPERIMENT_STRONGER, current)
    sampled = _standing(context, EXPERIMENT_SAMPLED, current)
    benchmarks = _standing(context, EXPERIMENT_BENCHMARKS, current)
    here = {
        EXPERIMENT_VALIDATION: validation,
        EXPERIMENT_SCORES: scores,
        EXPERIMENT_STRONGER: stronger,
        EXPERIMENT_SAMPLED: sampled,
        EXPERIMENT_BENCHMARKS: benchmarks,
    }
    key = ArtifactKey(HELDOUT_PROBLEMS.asset)
    heldout = read_problems(context.store, key) if context.store.find(key) else []
    choosing, _ = part_heldout(heldout, sizes(settings).validation_problems)
    chosen_on = [each.problem_id for each in choosing]
    made, shares = _made_by(), focal_shares(pairs)
    fresh = Results(
        cells=pl.DataFrame(
            [
                _cell(cell, models.get(cell), validation.get(cell), scores.get(cell), shares)
                | made
                | {"made_of": made_of_results(context, cell, here)}
                for cell in kept
            ],
            schema=CELLS,
        ),
        scores=pl.concat(
            [
                pl.DataFrame(schema=SCORES),
                *(_scores(cell, scored, stronger.get(cell)) for cell, scored in scores.items()),
            ]
        ),
        curves=pl.DataFrame(
            [row for cell in kept if cell in models for row in _curve(cell, models[cell])],
            schema=CURVES,
        ),
        kinds=kinds(pairs),
        tasks=_tasks(heldout),
        rounds=_rounds(context),
        sampled=pl.concat(
            [
                pl.DataFrame(schema=SAMPLED),
                *(_sampled(cell, sampled[cell]) for cell in kept if cell in sampled),
            ]
        ),
        benchmarks=pl.concat(
            [
                pl.DataFrame(schema=BENCHMARKS),
                *(
                    _benchmark(cell, name, benchmarks[cell], chosen_on)
                    for name in benchmarks_of(settings)
                    for cell in kept
                    if cell in benchmarks
                ),
            ]
        ),
    )
    return write_results(reportable(with_recorded(context, fresh)), folder)


def _check_name(folder: Path, base_model: str) -> None:
    if folder.resolve().name != base_model:
        raise InputError(
            f"tables of base model {base_model} do not belong in a folder of another name",
            file=folder,
            remedy=f"Give a folder named {base_model}, or leave --out out",
        )


def _place(key: str) -> tuple[int, float, int]:
    """The order of cells: the reference, then arm by arm as they are listed."""
    cell = Cell.parse(key)
    if cell.rate is None or cell.seed is None:
        return -1, 0.0, 0
    return ARMS.index(arm_named(cell.arm)), cell.rate, cell.seed


def _models(
    context: StepContext, keys: Sequence[str]
) -> tuple[dict[Cell, Artifact], dict[str, Artifact]]:
    """The models that are current and the pairs that are, by what tables call them.

    A model is where its pairs are, and of a second round where the model of its first one is too.
    """
    pairs = first_pairs(context)
    firsts = [key for key in keys if not _arm(key).after and _arm(key).pairs_name in pairs]
    models = _standing(context, EXPERIMENT_MODELS, firsts)
    # The first model may be one whose own results are on record: it has none here, and no key.
    going_on = [
        arm.name
        for arm in SECOND_ROUNDS
        if all_tried(context, arm_named(arm.after or arm.name))
        and arm_named(arm.after or arm.name).pairs_name in pairs
        and _standing(context, EXPERIMENT_MODELS, [first_round(context, arm)])
    ]
    of_second = second_pairs(context, going_on)
    seconds = [key for key in keys if _arm(key).name in of_second]
    models |= _standing(context, EXPERIMENT_SECOND_MODELS, seconds)
    return models, pairs | of_second


def _arm(key: str) -> Arm:
    return arm_named(Cell.parse(key).arm)


def _standing(context: StepContext, step: Step, keys: Sequence[str]) -> dict[Cell, Artifact]:
    """The cells of `keys` whose artifact is current."""
    return {Cell.parse(key): artifact for key, artifact in standing(context, step, keys)}


def _named(cell: Cell) -> dict[str, Any]:
    return {"arm": cell.arm, "rate": cell.rate, "seed": cell.seed}


def _cell(
    cell: Cell,
    model: Artifact | None,
    validated: Artifact | None,
    scored: Artifact | None,
    shares: Mapping[str, float],
) -> dict[str, Any]:
    """A row of CELLS."""
    arm = None if cell.is_reference else arm_named(cell.arm)
    made = next(each for each in (model, validated, scored) if each is not None).manifest
    validation = None
    if validated is not None:
        validation = solved_share(tables.read_scores(validated.path(GREEDY_FILE)))
    return {
        **_named(cell),
        "recipe": arm.recipe if arm else REFERENCE,
        "pairs": arm.pairs_name if arm else None,
        "pair_count": made.figures.get("pairs"),
        "focal_share": shares[arm.pairs_name] if arm else None,
        "steps": made.figures.get("steps"),
        "validation": validation,
        "config": json.dumps(made.config | _first_model(model), sort_keys=True),
        "content_hash": made.content_hash,
    }


def _first_model(model: Artifact | None) -> dict[str, JsonValue]:
    """Which model of the grid another one goes on from; nothing where it goes on from the base."""
    upstream = model.manifest.upstream if model else {}
    for key, content_hash in upstream.items():
        if ArtifactKey.parse(key).asset == EXPERIMENT_MODELS.asset:
            return {"first_model": {"key": key, "content_hash": content_hash}}
    return {}


def _name_columns(cell: Cell) -> list[pl.Expr]:
    return [pl.lit(value, SCORES[name]).alias(name) for name, value in _named(cell).items()]


def _scores(cell: Cell, scores: Artifact, stronger: Artifact | None) -> pl.DataFrame:
    frame = tables.read_scores(scores.path(GREEDY_FILE))
    judged = (
        pl.DataFrame(schema=tables.STRONGER)
        if stronger is None
        else tables.read_table(stronger.path(STRONGER_FILE), tables.STRONGER)
    )
    return frame.join(judged, on="task_id", how="left", maintain_order="left").select(
        *_name_columns(cell),
        problem_id="task_id",
        passed="base_passed",
        verdict="verdict",
        error_type="error_type",
        passed_stronger="passed_stronger",
    )


def _sampled(cell: Cell, samples: Artifact) -> pl.DataFrame:
    frame = tables.read_scores(samples.path(SAMPLED_FILE))
    different = pl.col("code").map_elements(program_key, return_dtype=pl.String()).n_unique()
    return (
        frame.group_by("task_id", maintain_order=True)
        .agg(
            samples=pl.len().cast(pl.Int64),
            passed=pl.col("base_passed").sum().cast(pl.Int64),
            distinct=different.cast(pl.Int64),
        )
        .select(
            *_name_columns(cell),
            pl.col("task_id").alias("problem_id"),
            "samples",
            "passed",
            "distinct",
        )
    )


def _benchmark(
    cell: Cell, name: BenchmarkName, scores: Artifact, chosen_on: Sequence[str]
) -> pl.DataFrame:
    """Scores on the tasks of a benchmark but for those that are validation problems too.

    MBPP's train split has mbpp/601, MBPP+ Mbpp/601. A rate that is best on a task flatters what is
    reported of it.
    """
    validated = pl.col("task_id").str.to_lowercase().is_in([each.lower() for each in chosen_on])
    frame = tables.read_scores(scores.path(scores_file(name)))
    return frame.filter(~validated).select(
        *_name_columns(cell),
        benchmark=pl.lit(name.value),
        problem_id="task_id",
        passed="base_passed",
        passed_plus=pl.col("base_passed") & pl.col("plus_passed"),
    )


def _tasks(problems: Iterable[Problem]) -> pl.DataFrame:
    """Problems with their features."""
    rows = [{"problem_id": each.problem_id, "features": list(each.features)} for each in problems]
    return pl.DataFrame(rows, schema=TASKS)


def _rounds(context: StepContext) -> pl.DataFrame:
    """What debugging solved, and sampling for as many calls, or what else was sampled."""
    debugged = _drawn(context, DEBUG_TRAJECTORIES, _first_answers)
    sampled = _drawn(context, EXPERIMENT_SAMPLES, _shared_calls)
    max_rounds = context.settings.debugging.max_rounds
    return solved_by_calls(debugged, sampled if sampled.answers else debugged, max_rounds)


def _drawn(
    context: StepContext, step: Step, answers_of: Callable[[ArtifactStore, str], Mapping[str, int]]
) -> Drawn:
    """The versions of a step's shards, and the answers that they come from by problem.

    None where a shard is missing or out of date: the others are not like all.
    """
    versions, answers = [pl.DataFrame(schema=tables.VERSIONS)], dict[str, int]()
    shards = context.settings.seeds.shards()
    found = dict(standing(context, step, shards))
    for shard, made in found.items() if len(found) == len(shards) else ():
        versions.append(tables.read_table(made.path(VERSIONS_FILE), tables.VERSIONS))
        answers |= answers_of(context.store, shard)
    return Drawn(pl.concat(versions), answers)


def _first_answers(store: ArtifactStore, shard: str) -> dict[str, int]:
    made = store.current(ArtifactKey(INITIAL_SAMPLES.asset, shard))
    drawn = tables.read_table(made.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    return dict(drawn.group_by("problem_id").len().iter_rows())


def _shared_calls(store: ArtifactStore, shard: str) -> dict[str, int]:
    figures = store.current(ArtifactKey(EXPERIMENT_SAMPLES.asset, shard)).manifest.figures
    problems = read_problems(store, ArtifactKey(SEED_PROBLEMS.asset, shard))
    shares = calls_by_problem(problems, cast("int", figures["calls"]))
    return {each.problem_id: count for count, group in shares for each in group}


def _curve(cell: Cell, model: Artifact) -> Iterator[dict[str, Any]]:
    lines = model.path(METRICS_FILE).read_text().splitlines()
    for row in curve_rows([json.loads(line) for line in lines]):
        yield _named(cell) | row


def _made_by() -> dict[str, str]:
    """Which code wrote the tables, when and where."""
    return {
        "commit": commit_of(Path(__file__), short=True),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{len(os.sched_getaffinity(0))} threads, {platform.machine()}",
    }
