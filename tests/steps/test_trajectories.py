"""What samples and trajectories depend on, and what only says how fast they come."""

from pathlib import Path

import pytest
from published_shard import PROBLEMS, SHARD, publish
from scripted_server import answer, failure

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactStore, Plan
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.generator import generator_location
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def changed_plan(context: StepContext, step: Step, section: str, **changes: object) -> Plan:
    settings = context.settings.overridden(section, changes)
    return step.plan(StepContext(settings, context.store), "a")


REMOTE = {
    "ITERPREF_ENGINE": '{"kind": "openai", "base_url": "https://api.example/v1"}',
    "ITERPREF_GENERATOR": '{"source": "remote", "model": "their-model"}',
}


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StepContext:
    for name, value in REMOTE.items():
        monkeypatch.setenv(name, value)
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def test_a_remote_generator_goes_on_record_with_its_server_and_no_weights(remote) -> None:
    plan = INITIAL_SAMPLES.plan(remote, "a")
    assert plan.config["generator"] == {
        "source": "remote", "model": "their-model", "server": "https://api.example/v1",
    }  # fmt: skip
    assert [key.asset for key in plan.parents] == ["seed_problems"]


def test_what_a_remote_generator_left_out_is_in_the_manifest_of_the_samples(
    remote, server, monkeypatch
) -> None:
    monkeypatch.setenv("ITERPREF_ENGINE__BASE_URL", server.url)
    monkeypatch.setenv("ITERPREF_SAMPLING__MAX_IN_FLIGHT", "1")
    frame = problems_to_frame(PROBLEMS)
    publish(remote.store, "seed_problems", {}, (PROBLEMS_FILE, frame, tables.PROBLEMS))
    server.script = [failure(400, "filtered", code="content_filter"), answer()]
    context = StepContext(load_settings(), remote.store)
    plan = INITIAL_SAMPLES.plan(context, SHARD)
    INITIAL_SAMPLES.publish(context, [plan])
    manifest = remote.store.current(plan.key).manifest
    assert manifest.figures["calls_without_an_answer"] == {"filtered": 1}
    assert manifest.config["generator"]["server"] == server.url
    assert list(manifest.upstream) == [f"seed_problems/{SHARD}"]


def test_whose_server_it_is_may_be_told_apart_from_its_address(remote, monkeypatch) -> None:
    monkeypatch.setenv("ITERPREF_GENERATOR__SERVER", "Example Inc.")
    plan = INITIAL_SAMPLES.plan(StepContext(load_settings(), remote.store), "a")
    assert plan.config["generator"]["server"] == "Example Inc."


def test_a_remote_generator_is_asked_for_by_its_name(remote) -> None:
    assert generator_location(remote) == "their-model"


def test_more_patience_with_a_server_asks_for_no_other_samples(remote, monkeypatch) -> None:
    before = INITIAL_SAMPLES.plan(remote, "a")
    monkeypatch.setenv("ITERPREF_ENGINE__MAX_WAIT_SECONDS", "5")
    assert INITIAL_SAMPLES.plan(StepContext(load_settings(), remote.store), "a") == before


def test_a_larger_failure_budget_asks_for_no_other_samples(context) -> None:
    changed = changed_plan(context, INITIAL_SAMPLES, "sampling", max_failed_share=1.0)
    assert changed == INITIAL_SAMPLES.plan(context, "a")


def test_fewer_conversations_held_at_once_ask_for_no_other_samples(context) -> None:
    changed = changed_plan(context, INITIAL_SAMPLES, "sampling", max_in_flight=1)
    assert changed == INITIAL_SAMPLES.plan(context, "a")


def test_fewer_trajectories_and_programs_at_once_ask_for_no_other_trajectories(context) -> None:
    fewer = {"max_in_flight": 1, "judge_workers": 1}
    changed = changed_plan(context, DEBUG_TRAJECTORIES, "debugging", **fewer)
    assert changed == DEBUG_TRAJECTORIES.plan(context, "a")


@pytest.mark.parametrize(
    ("step", "section"), [(INITIAL_SAMPLES, "sampling"), (DEBUG_TRAJECTORIES, "debugging")]
)
def test_another_temperature_asks_for_other_completions(context, step: Step, section: str) -> None:
    changed = changed_plan(context, step, section, temperature=0.5)
    assert changed != step.plan(context, "a")
