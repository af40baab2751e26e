"""A run's config has a typed field for each setting of its section, and sets only what is given."""

import dagster as dg
import pytest

from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.defs.launch_config import launch_config
from iterpref_assets.runner import load_definitions
from iterpref_assets.settings import Settings, load_settings

SECTIONS = ("sampling", "debugging", "pairs", "training", "evaluation", "test_quality")


def given(section: str, **config: object) -> dict:
    """What a run with this config overrides, after Dagster has read the config."""
    kind, found = launch_config(section), []

    @dg.asset
    def taken(config: kind) -> None:
        found.append(config.overrides())

    dg.materialize([taken], run_config={"ops": {"taken": {"config": config}}})
    return found[0]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_of_a_section_has_a_field_with_its_help(section: str) -> None:
    fields = launch_config(section).model_fields
    model = Settings.model_fields[section].annotation
    for name, info in model.model_fields.items():
        assert info.description in fields[name].description
    assert fields.keys() - model.model_fields.keys() == {"anew"}


def test_what_is_not_set_is_not_overridden() -> None:
    assert given("training") == {}


def test_numbers_lists_and_choices_are_overridden_as_the_settings_write_them() -> None:
    assert given("training", learning_rate=1e-4, optimizer="adamw") == {
        "learning_rate": 1e-4, "optimizer": "adamw",
    }  # fmt: skip
    assert given("debugging", round_temperatures=[0.2, 0.4]) == {"round_temperatures": [0.2, 0.4]}
    assert given("pairs", negatives="last") == {"negatives": "last"}


def test_a_choice_that_there_is_not_is_refused_before_the_run() -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="negatives"):
        given("pairs", negatives="middle")


def test_a_section_within_keeps_what_is_not_named() -> None:
    overrides = given("evaluation", bootstrap={"resamples": 500})
    before = load_settings().evaluation.bootstrap
    changed = load_settings().overridden("evaluation", overrides).evaluation.bootstrap
    assert changed == before.model_copy(update={"resamples": 500})


def test_a_section_that_is_unset_takes_what_is_given_and_defaults() -> None:
    assert load_settings().training.lora is None
    changed = load_settings().overridden("training", given("training", lora={"rank": 4}))
    assert changed.training == TrainConfig.model_validate(
        {**load_settings().training.model_dump(), "lora": {"rank": 4}}
    )


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        ("initial_samples", "max_tokens"), ("debug_trajectories", "max_rounds"),
        ("codeflow_pairs", "negatives"), ("preference_pairs", "max_diff_lines"),
        ("checkpoints", "learning_rate"), ("heldout_scores", "samples"),
        ("test_quality", "mutants"),
    ],
)  # fmt: skip
def test_the_launchpad_of_an_asset_has_the_fields_with_their_help(asset: str, name: str) -> None:
    job = load_definitions().resolve_implicit_global_asset_job_def()
    found = job.run_config_schema.config_type
    for step in ("ops", asset, "config"):
        found = found.fields[step].config_type
    assert found.fields[name].description
    assert found.fields["anew"].description
