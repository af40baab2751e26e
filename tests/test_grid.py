"""The experiment's grid: what is made, in which order, and what is not made again."""

import fcntl
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from grid_steps import SECOND, SOLVED, Made, made_steps, sizes

from iterpref_assets import grid
from iterpref_assets.core.artifacts import MANIFEST, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import arm_named
from iterpref_assets.core.work_by_kind import WorkByKind
from iterpref_assets.grid import LOCK, Grid, make_grid
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment_rates import validation_rate
from iterpref_assets.steps.experiment_second import EXPERIMENT_SECOND_TRAJECTORIES
from iterpref_assets.steps.step import StepContext

SFT, DPO = arm_named("sft"), arm_named("dpo")
FIRST_ROUND, SECOND_ROUND = arm_named("focal_rpo"), arm_named("focal_rpo-second")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    return made_steps(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"root": tmp_path, "experiment": sizes(seeds=3)})


def test_every_rate_is_tried_with_one_seed_and_the_best_gets_the_others(made, settings):
    make_grid(settings, Grid((SFT,), 3))
    assert made.of("experiment_models") == [
        *("sft@1e-05@0", "sft@3e-05@0", "sft@0.0001@0", "sft@3e-05@1", "sft@3e-05@2"),
    ]


def test_models_of_every_rate_and_the_reference_are_validated(made, settings):
    make_grid(settings, Grid((SFT,), 3))
    assert made.of("experiment_validation") == [
        *("reference", "sft@1e-05@0", "sft@3e-05@0", "sft@0.0001@0"),
    ]


def test_only_the_models_at_the_best_rate_are_scored_on_what_is_reported(made, settings):
    make_grid(settings, Grid((SFT,), 2))
    assert made.of("experiment_scores") == ["reference", "sft@3e-05@0", "sft@3e-05@1"]


def test_what_the_reported_models_solve_is_judged_by_stronger_tests(made, settings):
    make_grid(settings, Grid((SFT,), 2))
    assert made.of("experiment_stronger") == ["reference", "sft@3e-05@0", "sft@3e-05@1"]


def test_problems_that_are_not_of_the_lab_have_no_stronger_tests(made, tmp_path):
    file = tmp_path / "problems.jsonl"
    file.touch()
    seeds = {"kind": "mbpp", "path": str(file)}
    settings = Settings.model_validate({"root": tmp_path, "experiment": sizes(), "seeds": seeds})
    make_grid(settings, Grid((SFT,), 1))
    assert made.of("experiment_stronger") == []


def test_samples_are_drawn_of_the_reported_models_where_they_are_asked_for(made, tmp_path):
    asked = {"root": tmp_path, "experiment": sizes(samples=10)}
    make_grid(Settings.model_validate(asked), Grid((SFT,), 1))
    assert made.of("experiment_sampled") == ["reference", "sft@3e-05@0"]


def test_no_samples_are_drawn_where_none_are_asked_for(made, settings):
    make_grid(settings, Grid((SFT,), 1))
    assert made.of("experiment_sampled") == []


def test_samples_that_would_be_greedy_are_refused_before_anything_is_trained(made, tmp_path):
    greedy = {"temperature": 0, "samples": 1}
    asked = {"root": tmp_path, "experiment": sizes(samples=10), "sampled_evaluation": greedy}
    with pytest.raises(InputError, match=r"greedy decoding gives one completion .* 10") as caught:
        make_grid(Settings.model_validate(asked), Grid((SFT,), 1))
    assert caught.value.field == "experiment.samples"
    assert made.cells == []


def test_asking_for_samples_makes_no_greedy_score_anew(made, settings):
    make_grid(settings, Grid((SFT,), 1))
    made.cells.clear()
    asked = {"root": settings.root, "experiment": sizes(samples=10, seeds=3)}
    make_grid(Settings.model_validate(asked), Grid((SFT,), 1))
    assert {asset for asset, _ in made.cells} == {"experiment_sampled"}


def test_arms_that_are_made_without_samples_leave_those_of_others_as_they_are(made, settings):
    asked = {"root": settings.root, "experiment": sizes(samples=10, seeds=3)}
    make_grid(Settings.model_validate(asked), Grid((SFT,), 1))
    make_grid(settings, Grid((DPO,), 1))
    made.cells.clear()
    make_grid(Settings.model_validate(asked), Grid((SFT,), 1))
    assert made.cells == []


def test_pairs_are_made_of_the_sets_that_arms_use(made, settings):
    make_grid(settings, Grid((SFT, arm_named("focal_dpo-last")), 1))
    assert made.of("experiment_pairs") == ["random", "last"]


def test_a_second_run_makes_nothing(made, settings):
    make_grid(settings, Grid((SFT,), 2))
    before = list(made.cells)
    make_grid(settings, Grid((SFT,), 2))
    assert made.cells == before


@pytest.mark.parametrize("file", [GREEDY_FILE, MANIFEST])
def test_validation_that_was_damaged_is_made_anew(made, settings, file):
    make_grid(settings, Grid((FIRST_ROUND, SECOND_ROUND), 1))
    made.cells.clear()
    key = ArtifactKey("experiment_validation", "focal_rpo@1e-05@0")
    ArtifactStore(settings.root).current(key).path(file).write_bytes(b"no such file")
    make_grid(settings, Grid((FIRST_ROUND, SECOND_ROUND), 1))
    assert made.cells == [(key.asset, key.partition)]


def test_another_arm_makes_its_own_models_alone(made, settings):
    make_grid(settings, Grid((SFT,), 1))
    made.cells.clear()
    make_grid(settings, Grid((SFT, DPO), 1))
    assert {key.split("@")[0] for _, key in made.cells} == {"dpo"}


def test_a_run_that_was_ended_goes_on_with_the_model_it_was_at(made, settings):
    made.ends_at = "sft@3e-05@0"
    with pytest.raises(KeyboardInterrupt):
        make_grid(settings, Grid((SFT,), 1))
    made.ends_at = None
    made.cells.clear()
    make_grid(settings, Grid((SFT,), 1))
    assert made.of("experiment_models") == ["sft@3e-05@0", "sft@0.0001@0"]


def test_a_second_round_comes_after_every_rate_of_its_first_one(made, settings):
    make_grid(settings, Grid((SECOND_ROUND,), 1))
    trained_and_debugged = [
        (asset, key)
        for asset, key in made.cells
        if asset in ("experiment_models", *(f"experiment_second_{name}" for name in SECOND))
    ]
    assert trained_and_debugged == [
        *(("experiment_models", f"focal_rpo@{rate:g}@0") for rate in SOLVED),
        ("experiment_second_trajectories", "focal_rpo-second"),
        ("experiment_second_pairs", "focal_rpo-second"),
        *(("experiment_second_models", f"focal_rpo-second@{rate:g}@0") for rate in SOLVED),
    ]
    assert made.of("experiment_pairs") == ["random"]


def test_a_first_round_that_is_no_arm_of_the_grid_is_not_scored(made, settings):
    make_grid(settings, Grid((SECOND_ROUND,), 2))
    seconds = ["focal_rpo-second@3e-05@0", "focal_rpo-second@3e-05@1"]
    assert made.of("experiment_scores") == ["reference", *seconds]
    assert made.of("experiment_second_models")[-1] == seconds[1]
    assert "focal_rpo@3e-05@1" not in made.of("experiment_models")


def test_a_first_round_that_is_an_arm_too_is_tried_once(made, settings):
    make_grid(settings, Grid((FIRST_ROUND, SECOND_ROUND), 2))
    models = made.of("experiment_models")
    assert models == [*(f"focal_rpo@{rate:g}@0" for rate in SOLVED), "focal_rpo@3e-05@1"]


def test_a_second_round_after_its_first_one_makes_what_is_missing_alone(made, settings):
    make_grid(settings, Grid((FIRST_ROUND,), 1))
    made.cells.clear()
    make_grid(settings, Grid((FIRST_ROUND, SECOND_ROUND), 1))
    assert {key.split("@")[0] for _, key in made.cells} == {"focal_rpo-second"}


def test_a_second_round_that_cannot_be_made_keeps_no_other_arm_from_its_scores(made, settings):
    made.ends_at = SECOND_ROUND.name
    with pytest.raises(KeyboardInterrupt):
        make_grid(settings, Grid((SECOND_ROUND, SFT), 2))
    assert made.of("experiment_scores") == ["reference", "sft@3e-05@0", "sft@3e-05@1"]


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[WorkByKind]:
    """What counts the cells of each grid that is made."""
    works: list[WorkByKind] = []

    def counted(description: str, items: Mapping[str, int]) -> WorkByKind:
        works.append(WorkByKind(description, items))
        return works[-1]

    monkeypatch.setattr(grid, "WorkByKind", counted)
    return works


EVERY_KIND_OF_ARM = [(SFT,), (SECOND_ROUND,), (SFT, FIRST_ROUND, SECOND_ROUND)]


@pytest.mark.parametrize("arms", EVERY_KIND_OF_ARM)
def test_progress_ends_at_the_number_that_was_told(made, settings, works, arms):
    for _anew_and_current in range(2):
        make_grid(settings, Grid(arms, 2))
        assert works[-1].done == works[-1].total


@pytest.mark.parametrize("arms", EVERY_KIND_OF_ARM)
def test_all_that_is_made_by_cell_or_arm_is_in_the_estimate(made, settings, works, arms):
    make_grid(settings, Grid(arms, 2))
    cells = [cell for cell in made.cells if cell[0] != "experiment_pairs"]
    assert works[0].total == len(cells)


@pytest.mark.parametrize("arms", EVERY_KIND_OF_ARM)
def test_what_is_there_is_not_missing_before_the_grid_comes_to_it(made, settings, works, arms):
    make_grid(settings, Grid(arms, 2))
    shutil.rmtree(settings.root / "artifacts/experiment_validation/reference")
    made.ends_at = "reference"
    with pytest.raises(KeyboardInterrupt):
        make_grid(settings, Grid(arms, 2))
    assert works[-1].total - works[-1].done == 1


def on_a_server(root: Path) -> Settings:
    asked = {
        "root": root, "experiment": sizes(), "engine": {"kind": "openai"},
        "generator": {"source": "remote", "model": "theirs"},
    }  # fmt: skip
    return Settings.model_validate(asked)


def test_arms_that_are_no_second_rounds_are_made_of_what_a_server_wrote(
    made, tmp_path, monkeypatch
):
    monkeypatch.setattr(grid, "EXPERIMENT_SECOND_TRAJECTORIES", EXPERIMENT_SECOND_TRAJECTORIES)
    make_grid(on_a_server(tmp_path), Grid((SFT,), 1))
    assert made.of("experiment_scores") == ["reference", "sft@3e-05@0"]


def test_a_second_round_of_an_engine_without_weights_is_refused_before_anything_is_made(
    made, tmp_path
):
    with pytest.raises(InputError, match="samples from a model of the grid, and openai") as caught:
        make_grid(on_a_server(tmp_path), Grid((SECOND_ROUND,), 1))
    assert caught.value.field == "engine.kind"
    assert made.cells == []


def test_the_validation_rate_is_the_share_of_problems_solved(made, settings):
    make_grid(settings, Grid((SFT,), 1))
    context = StepContext(settings, ArtifactStore(settings.root))
    assert validation_rate(context, "sft@3e-05@0") == 3 / 4


def test_a_second_run_at_the_same_time_is_refused(made, settings):
    with (settings.root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run of the experiment is at work"):
            make_grid(settings, Grid((SFT,), 1))
    assert made.cells == []


def test_settings_without_an_experiment_are_refused(tmp_path):
    with pytest.raises(InputError, match="ask for no experiment"):
        make_grid(Settings(root=tmp_path), Grid((SFT,), 1))


def test_more_seeds_than_the_settings_allow_are_refused(made, settings):
    with pytest.raises(InputError, match=r"4 seeds, but experiment\.seeds is 3"):
        make_grid(settings, Grid((SFT,), 4))


@pytest.mark.parametrize("validation", [4, 5])
def test_too_few_held_out_problems_are_refused_before_anything_is_trained(
    made, tmp_path, validation
):
    few = {"root": tmp_path, "experiment": sizes(validation_problems=validation)}
    with pytest.raises(InputError, match=f"4 held-out problems .* {validation} of them") as caught:
        make_grid(Settings.model_validate(few), Grid((SFT,), 1))
    assert caught.value.field == "experiment.validation_problems"
    assert made.cells == []


def test_as_many_held_out_problems_as_leave_one_to_report_are_enough(made, settings):
    make_grid(settings, Grid((SFT,), 1))
    assert made.of("experiment_scores") == ["reference", "sft@3e-05@0"]


@pytest.mark.parametrize(
    "wants_two",
    [
        {"training": {"processes": 2}},
        {"engine": {"kind": "vllm", "tensor_parallel_size": 2}},
        {"evaluation_engine": {"kind": "vllm", "tensor_parallel_size": 2}},
    ],
)
def test_steps_that_want_several_gpus_are_not_made_at_once(made, tmp_path, wants_two):
    asked = {"root": tmp_path, "experiment": sizes(seeds=3), **wants_two}
    with pytest.raises(InputError, match="asks for 2 at once") as refused:
        make_grid(Settings.model_validate(asked), Grid((SFT,), 2, at_once=2))
    assert refused.value.field == "--at-once"
    assert made.cells == []
