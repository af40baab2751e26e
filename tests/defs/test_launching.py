"""A worker publishes what it is asked for, answers what it is asked, and says what stops it."""

from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.defs.launching import launch, meeting_place
from iterpref_assets.defs.resources import WorkerResource
from iterpref_assets.settings import Environment, Settings, load_settings
from iterpref_assets.steps.verification import failing_references
from iterpref_assets.workers.job import VerifyJob

HELDOUT = ArtifactKey("heldout_problems")


@pytest.fixture
def settings(seeds: Path) -> Settings:
    return load_settings()


def run(settings: Settings) -> dg.ExecuteInProcessResult:
    """A run whose worker publishes the held-out problems."""

    @dg.asset
    def published(
        context: dg.AssetExecutionContext, workers: WorkerResource
    ) -> dg.MaterializeResult:
        workers.run(context, HELDOUT.asset, [HELDOUT.partition], settings)
        return dg.MaterializeResult()

    return dg.materialize(
        [published], resources={"workers": WorkerResource()}, raise_on_error=False
    )


def test_a_worker_publishes(settings: Settings, store: ArtifactStore) -> None:
    assert run(settings).success
    assert store.current(HELDOUT).manifest.row_count == 1


def test_without_a_gpu_environment_gpu_is_refused(settings: Settings, store: ArtifactStore) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    result = run(settings.model_copy(update={"environment": Environment.GPU}))
    (failure,) = result.get_step_failure_events()
    assert "torch finds no GPU" in failure.step_failure_data.user_failure_data.description
    assert store.find(HELDOUT) is None


@pytest.mark.sandbox
def test_a_worker_answers_with_offenders(settings: Settings) -> None:
    asked = []

    @dg.asset
    def verified(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with meeting_place(settings) as place:
            job = VerifyJob(
                verification=failing_references.__name__,
                partitions=(),
                settings=settings,
                place=place,
            )
            asked.extend(launch(context, settings, job).get_custom_messages())
        return dg.MaterializeResult()

    assert dg.materialize([verified]).success
    assert asked == [[]]


def test_a_meeting_place_leaves_nothing(settings: Settings) -> None:
    with meeting_place(settings) as place:
        assert place.lifeline.exists()
    assert not place.folder.exists()


def test_the_place_of_a_killed_run_is_removed_by_the_next(settings: Settings) -> None:
    with meeting_place(settings) as living:
        abandoned = living.folder.with_name("abandoned")
        abandoned.mkdir()
        (abandoned / living.lifeline.name).touch()
        with meeting_place(settings):
            assert living.folder.is_dir()
            assert not abandoned.exists()
