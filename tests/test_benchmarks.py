"""Every benchmark's assets, materialized by Dagster on slices of the published data."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from places import HELPERS

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.evaluation.benchmark_config import BenchmarksConfig
from iterpref_assets.core.evaluation.benchmark_summary import BenchmarkSummary
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.prompts import fenced
from iterpref_assets.steps.benchmarks import SCORE_ASSETS, SCORES_FILE, SUMMARY_FILE, TASKS_FILE
from iterpref_assets.steps.leaderboard import BOARD_FILE, TEXT_FILE

ROOT = Path(__file__).resolve().parents[1]
SCORES = [asked.asset for asked in SCORE_ASSETS]
VARIANTS = ("reference", "focal_rpo")
OF_THE_CHECKPOINT = "humaneval_scores"
FILES = {
    "humaneval": "HumanEvalPlus.jsonl.gz",
    "mbpp": "MbppPlus.jsonl.gz",
    "bigcodebench": "BigCodeBench-v0.1.4.jsonl.gz",
    "livecodebench": "livecodebench-v5-public-tests-279.jsonl.gz",
}
SLICES = {
    "humaneval": ["HumanEval/0", "HumanEval/2", "HumanEval/32"],
    "mbpp": ["Mbpp/2", "Mbpp/3"],
    "bigcodebench": [f"BigCodeBench/{number}" for number in (2, 3, 8, 13, 1040)],
    "livecodebench": ["abc365_b", "abc365_a", "3526"],
}
OFFLINE = "BigCodeBench/1040"
"""It opens sockets, so it cannot run here."""
LONG = "BigCodeBench/8"
"""Its prompt has more tokens than the lab model's context."""

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox, pytest.mark.timeout(3600)]


@dataclass(frozen=True)
class Deployment:
    """Settings and artifacts of one run of all the benchmarks' assets."""

    benchmarks: BenchmarksConfig
    store: ArtifactStore
    said: dict[str, dict]

    def scores(self, asset: str, variant: str) -> pl.DataFrame:
        path = self.store.current(ArtifactKey(asset, f"lab/{variant}")).path(SCORES_FILE)
        return tables.read_table(path, tables.SCORES)

    def summary(self, asset: str, variant: str) -> BenchmarkSummary:
        path = self.store.current(ArtifactKey(asset, f"lab/{variant}")).path(SUMMARY_FILE)
        return BenchmarkSummary.model_validate_json(path.read_bytes())


@pytest.fixture(scope="module")
def benchmarks(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> BenchmarksConfig:
    """Slices of every benchmark's published file."""
    folder = tmp_path_factory.mktemp("slices")
    paths = {}
    for name, file in FILES.items():
        with gzip.open(shared_data / "benchmarks" / file, "rt") as lines:
            rows = [json.loads(line) for line in lines]
        kept = [r for r in rows if r.get("task_id", r.get("question_id")) in SLICES[name]]
        assert len(kept) == len(SLICES[name])
        paths[name] = folder / f"{name}.jsonl"
        paths[name].write_text("".join(json.dumps(row) + "\n" for row in kept))
    shutil.copy(shared_data / "benchmarks" / "bigcodebench_hard_ids.json", folder)
    return BenchmarksConfig.model_validate(
        {
            "humaneval": {"data": paths["humaneval"]},
            "mbpp": {"data": paths["mbpp"]},
            "bigcodebench": {
                "data": paths["bigcodebench"],
                "libraries": Path(np.__file__).parents[1],
            },
            "livecodebench": {
                "data": paths["livecodebench"],
                "solutions": solutions(folder / "solutions.jsonl"),
            },
        }
    )


def solutions(path: Path) -> Path:
    """The hand-written solutions of the slice's problems."""
    lines = (ROOT / "examples" / "livecodebench-solutions.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["task_id"] in SLICES["livecodebench"]]
    path.write_text("\n".join(kept) + "\n")
    return path


def materialize(
    root: Path, benchmarks: BenchmarksConfig, *variants: str, **variables: str
) -> Deployment:
    """Run assets for the lab model and for a checkpoint, which here is a copy of it."""
    store = ArtifactStore(root)
    with store.publishing(Plan(ArtifactKey("checkpoints", "lab/focal_rpo"), "1")) as staging:
        shutil.copytree(pretrained_dir(), staging.folder, dirs_exist_ok=True)
    environment = {
        **os.environ,
        "ITERPREF_ROOT": str(root),
        "ITERPREF_BENCHMARKS": benchmarks.model_dump_json(),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, str(HELPERS / "materialize_benchmarks.py"), *variants],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Deployment(benchmarks, store, json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def replayed(benchmarks: BenchmarksConfig, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every reference solution handed out as what the model generated."""
    root = tmp_path_factory.mktemp("replayed")
    completions = root / "completions.parquet"
    tables.write_table(recorded(benchmarks), tables.COMPLETIONS, completions)
    engine = json.dumps({"kind": "replay", "completions": [str(completions)]})
    return materialize(root, benchmarks, *VARIANTS, ITERPREF_EVALUATION_ENGINE=engine)


def recorded(benchmarks: BenchmarksConfig) -> pl.DataFrame:
    rows = [
        {
            "key": f"{task_id}#0#0", "problem_id": task_id, "sample": 0, "round": 0,
            "completion": completion, "prompt_tokens": 0, "completion_tokens": 0,
            "finish_reason": "stop", "seed": 0, "engine": "references",
        }
        for task_id, completion in reference_completions(benchmarks)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.COMPLETIONS)


def reference_completions(benchmarks: BenchmarksConfig) -> Iterator[tuple[str, str]]:
    """Answers within the block that the prompt began, but for LiveCodeBench's, which begin it."""
    for name in benchmarks.names():
        for task_id, code in benchmarks.open(name).facts.references.items():
            yield task_id, fenced(code) if name == "livecodebench" else f"{code}\n```\n"


@pytest.fixture(scope="module")
def generated(replayed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """What the lab model makes of the tasks, and the checkpoint of one benchmark's.

    The tasks are those that have been looked at.
    """
    root = tmp_path_factory.mktemp("generated")
    shutil.copytree(replayed.store.root, root, dirs_exist_ok=True)
    return materialize(
        root,
        replayed.benchmarks,
        "reference",
        f"focal_rpo:{OF_THE_CHECKPOINT}",
        ITERPREF_EVALUATION_ENGINE=json.dumps({"kind": "transformers", "dtype": "float32"}),
        ITERPREF_EVALUATION__MAX_TOKENS="24",
    )


@pytest.mark.parametrize("name", FILES)
def test_reference_solutions_pass_before_a_model_is_judged(replayed: Deployment, name: str) -> None:
    assert replayed.said["checks"][f"{name}_tasks: reference_solutions_pass"]
    path = replayed.store.current(ArtifactKey(f"{name}_tasks")).path(TASKS_FILE)
    tasks = tables.read_table(path, tables.BENCHMARK_TASKS)
    assert tasks["task_id"].to_list() == SLICES[name]
    left_out = tasks.filter(pl.col("not_run") != "").select("task_id", "not_run").rows()
    assert left_out == ([(OFFLINE, "needs the network")] if name == "bigcodebench" else [])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("asset", SCORES)
def test_replayed_reference_solutions_score_100_percent(replayed, asset: str, variant: str) -> None:
    summary = replayed.summary(asset, variant)
    plus = summary.overall.plus
    assert summary.overall.pass_at_1 == 1.0
    assert (plus is not None) == (asset in ("humaneval_scores", "mbpp_scores"))
    assert plus is None or plus.pass_at_1 == 1.0
    assert OFFLINE not in replayed.scores(asset, variant)["task_id"].to_list()


@pytest.mark.parametrize("split", ["complete", "instruct"])
def test_hard_tasks_are_summed_up_from_the_same_run(replayed: Deployment, split: str) -> None:
    summary = replayed.summary(f"bigcodebench_{split}_scores", "reference")
    assert (summary.overall.n, summary.groups["hard"].n) == (4, 1)


def test_the_leaderboard_compares_every_column_with_the_reference_model(
    replayed: Deployment,
) -> None:
    artifact = replayed.store.current(ArtifactKey("leaderboard", "lab"))
    board = tables.read_table(artifact.path(BOARD_FILE), tables.LEADERBOARD)
    columns = ["HE", "HE+", "MBPP", "MBPP+"]
    columns += [f"BCB-{subset} {split}" for subset in "FH" for split in ("comp", "inst")]
    assert board["column"].unique(maintain_order=True).to_list() == [*columns, "LCB (strict)"]
    assert board.filter(variant="focal_rpo")["difference"].to_list() == [0.0] * 9
    assert board.filter(variant="reference")["difference"].null_count() == 9
    assert "| focal_rpo | 100.0 (100.0 to 100.0) |" in artifact.path(TEXT_FILE).read_text()


@pytest.mark.parametrize("asset", [*SCORES, "leaderboard"])
def test_the_ui_shows_what_was_scored(replayed: Deployment, asset: str) -> None:
    wanted = (
        {"rates", "error_types", "not_run", "page"} if asset in SCORES else {"leaderboard", "plot"}
    )
    assert wanted <= set(replayed.said["metadata"][asset])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asset", "variant"),
    [*((asset, "reference") for asset in SCORES), (OF_THE_CHECKPOINT, "focal_rpo")],
)
def test_what_models_generate_is_scored_on_every_runnable_task(
    generated, asset: str, variant: str
) -> None:
    scores = generated.scores(asset, variant)
    name = next(asked.benchmark for asked in SCORE_ASSETS if asked.asset == asset)
    assert scores["task_id"].to_list() == [task for task in SLICES[name] if task != OFFLINE]


@pytest.mark.slow
def test_prompts_that_the_models_context_cannot_hold_fail_with_that_reason(generated) -> None:
    summary = generated.summary("bigcodebench_complete_scores", "reference")
    scores = generated.scores("bigcodebench_complete_scores", "reference")
    too_long = scores.filter(pl.col("verdict") == "prompt_too_long")
    assert too_long.select("task_id", "base_passed").rows() == [(LONG, False)]
    assert summary.unanswered["prompt_too_long"] == 1
