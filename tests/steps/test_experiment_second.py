"""The second round of the experiment, on a published shard and made-up models."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
import pytest
from published_shard import SHARD, CountingEngine, judge, publish_trajectories
from safetensors.torch import load_file, save_file

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.engines.protocol import Completion, Engine, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.training.launch import TrainJob
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome
from iterpref_assets.settings import Settings
from iterpref_assets.steps import experiment_second
from iterpref_assets.steps.checkpoints import LOGPROBS_FILE
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment_scores import EXPERIMENT_SCORES
from iterpref_assets.steps.experiment_second import (
    EXPERIMENT_SECOND_MODELS,
    EXPERIMENT_SECOND_PAIRS,
    EXPERIMENT_SECOND_TRAJECTORIES,
)
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.pairs import TOKENS_FILE
from iterpref_assets.steps.step import Report, Step, StepContext
from iterpref_assets.steps.trajectories import VERSIONS_FILE

ARM, CELL = "focal_rpo-second", "focal_rpo-second@1e-05@1"
RATES = (1e-5, 1e-4)
BEST, OTHER = "focal_rpo@0.0001@0", "focal_rpo@1e-05@0"
EVERY_STEP = [
    (EXPERIMENT_SECOND_TRAJECTORIES, ARM),
    (EXPERIMENT_SECOND_PAIRS, ARM),
    (EXPERIMENT_SECOND_MODELS, CELL),
]


def a_context(root: Path, checkpoint: Path, **changed: object) -> StepContext:
    seeds = root.parent / "seeds"
    seeds.mkdir(exist_ok=True)
    (seeds / f"{SHARD}.jsonl").touch()
    settings = {
        "root": root,
        "experiment": {"base_model": "mine", "rates": RATES},
        "base_models": {"mine": {"source": "local", "path": checkpoint}},
        "seeds": {"kind": "files", "folder": seeds, "heldout": root.parent / "none"},
        "sampling": {"samples_per_problem": 3},
        **changed,
    }
    return StepContext(Settings.model_validate(settings), ArtifactStore(root))


@pytest.fixture
def context(tmp_path: Path, tiny_checkpoint: Path) -> StepContext:
    """A store whose first round is done: BEST solves more validation problems than OTHER."""
    context = a_context(tmp_path / "data", tiny_checkpoint)
    publish_trajectories(context.store, tmp_path)
    publish_validation(context, OTHER, solved=1)
    publish_validation(context, BEST, solved=2)
    publish_first_model(context, tiny_checkpoint)
    return context


def publish_validation(context: StepContext, key: str, *, solved: int) -> None:
    rows = [{"task_id": str(place), "base_passed": place < solved} for place in range(3)]
    frame = pl.DataFrame(rows, schema=tables.SCORES)
    with context.store.publishing(Plan(ArtifactKey("experiment_validation", key), "1")) as staging:
        tables.write_table(frame, tables.SCORES, staging.folder / GREEDY_FILE)


def publish_first_model(context: StepContext, checkpoint: Path, *, scale: float = 1.5) -> None:
    """The base model with larger weights."""
    with context.store.publishing(Plan(ArtifactKey("experiment_models", BEST), "1")) as staging:
        shutil.copytree(checkpoint, staging.folder, dirs_exist_ok=True)
        file = staging.folder / "model.safetensors"
        weights = {name: scale * each for name, each in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})


def publish(context: StepContext, step: Step, partition: str) -> Artifact:
    step.publish(context, [context.store.pinned(step.plan(context, partition))])
    return context.store.current(ArtifactKey(step.asset, partition))


class EndedError(RuntimeError):
    """Stands for a kill."""


class Answering(CountingEngine):
    """Keeps what it answered; is ended before the answer that is one too many."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.answered: list[str] = []
        self.most = 1000

    async def generate(self, request: Request) -> Completion:
        if len(self.answered) == self.most:
            raise EndedError
        self.answered.append(request.key)
        return await super().generate(request)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Answering:
    engine = Answering()

    @asynccontextmanager
    async def opened(
        _settings: Settings, model: Path
    ) -> AsyncGenerator[tuple[Engine, ProgramJudging]]:
        engine.opened.append(model)
        async with engine:
            yield engine, judge

    monkeypatch.setattr(experiment_second, "model_and_judge", opened)
    return engine


@pytest.mark.parametrize(("step", "partition"), EVERY_STEP)
def test_it_goes_on_from_the_first_rounds_best_model_with_seed_0(context, step, partition):
    models = {key for key in step.plan(context, partition).parents if "_models" in key.asset}
    assert models == {ArtifactKey("experiment_models", BEST)}


@pytest.mark.parametrize(("step", "partition"), EVERY_STEP)
def test_another_best_rate_is_another_model(context, step, partition):
    publish_validation(context, OTHER, solved=3)
    assert ArtifactKey("experiment_models", OTHER) in step.plan(context, partition).parents


@pytest.mark.parametrize(("step", "partition"), EVERY_STEP)
def test_validation_that_chooses_the_same_model_changes_nothing(context, step, partition):
    before = step.plan(context, partition)
    publish_validation(context, BEST, solved=3)
    assert step.plan(context, partition) == before


def test_nothing_is_planned_before_every_rate_is_validated(tmp_path, tiny_checkpoint):
    context = a_context(tmp_path / "data", tiny_checkpoint)
    publish_validation(context, BEST, solved=2)
    with pytest.raises(InputError, match=r"experiment_validation/focal_rpo@1e-05@0 has not been"):
        EXPERIMENT_SECOND_TRAJECTORIES.plan(context, ARM)


def test_an_arm_that_is_no_second_round_is_refused(context):
    with pytest.raises(InputError, match="focal_rpo is no second round"):
        EXPERIMENT_SECOND_TRAJECTORIES.plan(context, "focal_rpo")


def test_each_is_made_of_the_one_before(context):
    pairs = EXPERIMENT_SECOND_PAIRS.plan(context, ARM).parents
    models = EXPERIMENT_SECOND_MODELS.plan(context, CELL).parents
    scores = EXPERIMENT_SCORES.plan(context, CELL).parents
    assert ArtifactKey("experiment_second_trajectories", ARM) in pairs
    assert ArtifactKey("experiment_second_pairs", ARM) in models
    assert ArtifactKey("experiment_second_models", CELL) in scores
    assert "experiment_models" not in {key.asset for key in scores}


@pytest.mark.parametrize(
    "changed",
    [
        {"sampling": {"samples_per_problem": 4}},
        {"debugging": {"max_rounds": 1}},
        {"limits": {"cpu_seconds": 9}},
        {"prompts": {"debug_turn": "continue"}},
        {"engine": {"kind": "transformers"}},
    ],
)
def test_trajectories_depend_on_how_they_are_made(context, tiny_checkpoint, changed):
    other = a_context(context.settings.root, tiny_checkpoint, **changed)
    plans = [EXPERIMENT_SECOND_TRAJECTORIES.plan(each, ARM) for each in (context, other)]
    assert plans[0] != plans[1]


def test_the_first_rounds_model_debugs_the_training_problems(context, engine):
    made = publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    model = context.store.current(ArtifactKey("experiment_models", BEST))
    assert engine.opened == [model.folder]
    versions = tables.read_table(made.path(f"{SHARD}/{VERSIONS_FILE}"), tables.VERSIONS)
    assert versions["problem_id"].unique().sort().to_list() == ["p2", "p3"]
    assert versions.height == made.manifest.row_count


def test_its_samples_are_kept_beside_its_trajectories(context, engine):
    made = publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    samples = tables.read_table(
        made.path(f"{SHARD}/samples/{COMPLETIONS_FILE}"), tables.COMPLETIONS
    )
    assert samples.select("problem_id", "sample").rows() == [
        *(("p2", sample) for sample in range(3)),
        *(("p3", sample) for sample in range(3)),
    ]


def test_a_run_that_was_ended_repeats_no_answer(context, engine):
    engine.most = 8
    with pytest.raises(EndedError):
        publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    engine.most = 1000
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    assert len(engine.answered) == len(set(engine.answered)) > 8


def test_another_model_of_the_first_round_is_asked_anew(context, engine, tiny_checkpoint):
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    asked = len(engine.answered)
    publish_first_model(context, tiny_checkpoint, scale=1.25)
    plan = EXPERIMENT_SECOND_TRAJECTORIES.plan(context, ARM)
    assert context.store.reusable(plan) is None
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    assert len(engine.answered) == 2 * asked


def test_pairs_are_made_of_its_own_trajectories_alone(context, engine):
    shutil.rmtree(context.settings.root / "artifacts" / "debug_trajectories")
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    pairs = publish(context, EXPERIMENT_SECOND_PAIRS, ARM)
    tokens = tables.read_table(pairs.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)
    assert tokens.height == pairs.manifest.row_count > 0


def test_the_reference_is_the_first_rounds_model(context, engine, tmp_path):
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    pairs = publish(context, EXPERIMENT_SECOND_PAIRS, ARM)
    model = context.store.current(ArtifactKey("experiment_models", BEST)).folder
    tokens = tables.read_table(pairs.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)
    training = context.settings.training
    expected = compute_reference_logprobs(tokens, model, training, tmp_path / "reference")
    found = tables.read_table(pairs.path(LOGPROBS_FILE), tables.REFERENCE_LOGPROBS)
    assert found.equals(expected)


def test_training_goes_on_from_the_first_rounds_model(context, engine, monkeypatch):
    jobs: list[TrainJob] = []

    def train(job: TrainJob, _report: Report) -> TrainOutcome:
        jobs.append(job)
        return TrainOutcome(figures={}, curve=[])

    monkeypatch.setattr("iterpref_assets.core.training.launch.train_model", train)
    publish(context, EXPERIMENT_SECOND_TRAJECTORIES, ARM)
    pairs = publish(context, EXPERIMENT_SECOND_PAIRS, ARM)
    publish(context, EXPERIMENT_SECOND_MODELS, CELL)
    model = context.store.current(ArtifactKey("experiment_models", BEST)).folder
    assert [(job.model_dir, job.tokens) for job in jobs] == [(model, pairs.path(TOKENS_FILE))]
