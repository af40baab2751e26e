"""Schedules and sensors ask for the right runs, and launch none until somebody switches them on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from ticking import Ticker

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs import automation
from iterpref_assets.defs.conditions import KEEP_UP, MAKE
from iterpref_assets.defs.dead_runs import PROCESS_TAG, process_tag
from iterpref_assets.defs.partitions import SHARDS
from iterpref_assets.defs.resources import NotifierResource, ProjectResource, WebhookNotifier
from iterpref_assets.runner import load_definitions
from iterpref_assets.settings import WEBHOOK
from iterpref_assets.steps.step import StepContext

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return load_definitions().get_repository_def()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that keeps its state in a folder: schedules open the instance anew."""
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def tick(instance: dg.DagsterInstance, repository, store: ArtifactStore):
    """Evaluates a schedule or sensor, from one cursor to the next."""
    return Ticker(instance, repository).tick


def ranges(data) -> list[tuple[str, str]]:
    """The shards of the runs of seeds."""
    tags = [request.tags for request in data.run_requests if request.job_name != "read_heldout"]
    return [(each[FIRST], each[LAST]) for each in tags]


def add_seeds(seeds: Path, name: str) -> None:
    content = (seeds / "a.jsonl").read_text()
    (seeds / f"{name}.jsonl").write_text(content.replace('"p1"', json.dumps(name)))


def publish(store: ArtifactStore, asset: str, partition: str) -> None:
    with store.publishing(Plan(ArtifactKey(asset, partition), "1")) as staging:
        (staging.folder / "file").write_text("x")


@pytest.mark.parametrize("status", ["stopped", "running"])
def test_what_launches_runs_or_tells_people_has_the_status_that_the_settings_say(
    status: str,
) -> None:
    script = (
        "import definitions; d = definitions.defs();"
        "print({x.name: x.default_status.value for x in [*d.schedules, *d.sensors]})"
    )
    variables = {"ITERPREF_ENVIRONMENT": "docker"}
    if status == "running":
        variables["ITERPREF_OPERATIONS__DEFAULT_STATUS"] = status
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **variables},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {
        "rebuild_codeflow", "evaluate_variants", "new_seeds", "new_checkpoints",
        "rebuild_downstream", "tell_about_failures", "prune_containers_daily",
    }  # fmt: skip
    found = eval(done.stdout.splitlines()[-1])
    assert found == {**dict.fromkeys(names, status.upper()), "end_dead_runs": "RUNNING"}


def test_the_weekly_rebuild_covers_every_shard_in_one_run(seeds, tick) -> None:
    for name in ("b", "c"):
        add_seeds(seeds, name)
    data = tick(automation.rebuild_codeflow)
    assert ranges(data) == [("a", "c")]


def test_the_weekly_rebuild_leaves_out_a_shard_whose_seeds_are_gone(seeds, instance, tick) -> None:
    instance.add_dynamic_partitions(SHARDS, ["a", "gone", "b"])
    add_seeds(seeds, "b")
    assert ranges(tick(automation.rebuild_codeflow)) == [("a", "a"), ("b", "b")]


def test_the_nightly_evaluation_asks_for_every_model_that_is_there(store, tick) -> None:
    for partition in ("lab/focal_rpo", "lab/sft", "unknown/sft"):
        publish(store, "checkpoints", partition)
    publish(store, "heldout_problems", "all")
    publish(store, "base_models", "lab")
    publish(store, "lab_base_model", "all")
    keys = {request.partition_key for request in tick(automation.evaluate_variants).run_requests}
    assert keys == {"lab|reference", "lab|focal_rpo", "lab|sft"}


def publish_scores(store: ArtifactStore, variant: str) -> None:
    """Publish a checkpoint and its scores, as planned."""
    publish(store, "checkpoints", f"lab/{variant}")
    step = automation.step_of("heldout_scores")
    plan = step.plan(StepContext(ProjectResource().settings(), store), f"lab/{variant}")
    with store.publishing(plan) as staging:
        (staging.folder / "file").write_text("x")


def test_the_nightly_evaluation_passes_over_a_recipe_that_is_no_more(store, tick) -> None:
    publish(store, "heldout_problems", "all")
    for recipe in ("sft", "former_recipe"):
        publish(store, "checkpoints", f"lab/{recipe}")
    asked = tick(automation.evaluate_variants).run_requests
    assert [request.partition_key for request in asked] == ["lab|sft"]


def test_the_nightly_evaluation_leaves_out_what_is_scored(store, tick) -> None:
    publish(store, "heldout_problems", "all")
    publish_scores(store, "sft")
    publish(store, "checkpoints", "lab/dpo")
    asked = tick(automation.evaluate_variants).run_requests
    assert [request.partition_key for request in asked] == ["lab|dpo"]


def test_where_all_is_scored_one_nightly_run_says_so(store, tick) -> None:
    publish(store, "heldout_problems", "all")
    for variant in ("dpo", "sft"):
        publish_scores(store, variant)
    asked = tick(automation.evaluate_variants).run_requests
    assert [request.partition_key for request in asked] == ["lab|dpo"]


def test_without_a_model_the_nightly_evaluation_asks_for_nothing(store, tick) -> None:
    data = tick(automation.evaluate_variants)
    assert not data.run_requests
    assert "no model" in data.skip_message


def test_every_schedule_sensor_and_job_says_what_it_does(repository) -> None:
    automated = [*repository.schedule_defs, *repository.sensor_defs]
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    assert len(automated) >= 6
    assert [each.name for each in [*automated, *jobs] if not each.description] == []


def test_a_run_says_why_it_was_started(seeds, tick) -> None:
    tags = [request.tags for request in tick(automation.new_seeds).run_requests]
    assert [each["iterpref/reason"] for each in tags] == [
        "seeds came or changed", "held-out problems came or changed",
    ]  # fmt: skip
    (weekly,) = tick(automation.rebuild_codeflow).run_requests
    assert weekly.tags["iterpref/reason"] == "weekly rebuild"


def test_new_seed_files_become_shards_and_are_read(seeds, instance, tick) -> None:
    assert ranges(tick(automation.new_seeds)) == [("a", "a")]
    for name in ("b", "c"):
        add_seeds(seeds, name)
    assert ranges(tick(automation.new_seeds)) == [("b", "c")]
    assert instance.get_dynamic_partitions(SHARDS) == ["a", "b", "c"]


def test_unchanged_seed_files_ask_for_nothing(tick) -> None:
    tick(automation.new_seeds)
    assert "no seeds" in tick(automation.new_seeds).skip_message


def test_a_changed_seed_file_is_read_again(seeds, instance, tick) -> None:
    tick(automation.new_seeds)
    add_seeds(seeds, "b")
    tick(automation.new_seeds)
    path = seeds / "a.jsonl"
    path.write_text(path.read_text().replace("Add one", "Add 1"))
    assert ranges(tick(automation.new_seeds)) == [("a", "a")]


def test_a_seed_file_that_is_changed_back_is_read_once_more(seeds, tick) -> None:
    path = seeds / "a.jsonl"
    first = path.read_text()
    for text in (first, first.replace("Add one", "Add 1")) * 2:
        path.write_text(text)
        assert ranges(tick(automation.new_seeds)) == [("a", "a")]


def test_changed_heldout_problems_are_read_again(seeds, tick) -> None:
    def jobs() -> list[str]:
        return [request.job_name for request in tick(automation.new_seeds).run_requests]

    assert jobs() == ["read_seeds", "read_heldout"]
    path = seeds.parent / "heldout.jsonl"
    path.write_text(path.read_text().replace("Take one", "Take 1"))
    assert jobs() == ["read_heldout"]


def test_a_removed_seed_file_is_forgotten_and_its_artifacts_stay(
    seeds, instance, store, tick
) -> None:
    add_seeds(seeds, "b")
    tick(automation.new_seeds)
    publish(store, "raw_seeds", "b")
    (seeds / "b.jsonl").unlink()
    data = tick(automation.new_seeds)
    assert not data.run_requests
    assert instance.get_dynamic_partitions(SHARDS) == ["a"]
    assert store.find(ArtifactKey("raw_seeds", "b")) is not None


def test_a_folder_that_lost_all_its_files_forgets_no_shard(seeds, instance, tick) -> None:
    tick(automation.new_seeds)
    (seeds / "a.jsonl").unlink()
    with pytest.raises(Exception, match="seed problems"):
        tick(automation.new_seeds)
    assert instance.get_dynamic_partitions(SHARDS) == ["a"]


def report_checkpoint(instance: dg.DagsterInstance, partition: str) -> None:
    event = dg.AssetMaterialization("checkpoints", partition=partition)
    instance.report_runless_asset_event(event)


def test_each_new_checkpoint_is_scored_once(instance, tick) -> None:
    report_checkpoint(instance, "lab|focal_rpo")
    report_checkpoint(instance, "lab|sft")
    data = tick(automation.new_checkpoints)
    assert [r.partition_key for r in data.run_requests] == ["lab|focal_rpo", "lab|sft"]
    assert "no checkpoint" in tick(automation.new_checkpoints).skip_message


def test_a_checkpoint_that_is_published_again_is_scored_again(instance, tick) -> None:
    report_checkpoint(instance, "lab|sft")
    first = tick(automation.new_checkpoints).run_requests[0]
    report_checkpoint(instance, "lab|sft")
    second = tick(automation.new_checkpoints).run_requests[0]
    assert first.run_key != second.run_key


def test_a_checkpoint_that_one_run_tells_of_twice_is_scored_once(instance, tick) -> None:
    report_checkpoint(instance, "lab|sft")
    report_checkpoint(instance, "lab|sft")
    (request,) = tick(automation.new_checkpoints).run_requests
    assert request.partition_key == "lab|sft"


def test_a_checkpoint_that_the_settings_no_longer_know_is_passed_over(instance, tick) -> None:
    report_checkpoint(instance, "gone|sft")
    report_checkpoint(instance, "lab|sft")
    requests = tick(automation.new_checkpoints).run_requests
    assert [request.partition_key for request in requests] == ["lab|sft"]


def test_what_costs_hours_is_kept_up_and_never_begun(repository) -> None:
    graph = repository.asset_graph
    conditions = {
        key.to_user_string(): graph.get(key).automation_condition
        for key in graph.get_all_asset_keys()
    }
    kept_up = {name for name, condition in conditions.items() if condition == KEEP_UP}
    assert kept_up >= {"checkpoints", "data_cards", "experiment_reports"}
    made = {name for name, condition in conditions.items() if condition == MAKE}
    assert made >= {"seed_problems", "initial_samples", "codeflow_pairs", "preference_pairs"}


def test_a_run_whose_process_is_gone_is_failed_by_the_next_tick(instance, tick) -> None:
    run_id = "7e0b5a56-0000-4000-8000-000000000000"
    with subprocess.Popen(["sleep", "60"]) as process:
        tags = {PROCESS_TAG: process_tag(run_id, process.pid)}
        process.kill()
    status = dg.DagsterRunStatus.STARTED
    instance.run_storage.add_run(dg.DagsterRun("job", run_id=run_id, status=status, tags=tags))
    assert run_id in tick(automation.end_dead_runs).skip_message
    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE


class Recorder(NotifierResource):
    """Keeps messages instead of sending them."""

    def notify(self, text: str) -> None:
        MESSAGES.append(text)


MESSAGES: list[str] = []


def failed_run(instance: dg.DagsterInstance, repository, partition: str):
    instance.add_dynamic_partitions(SHARDS, [partition])
    job = repository.get_job("read_seeds")
    return job.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)


def test_a_failed_run_is_told_with_its_partition_reason_and_place(
    seeds, store, instance, repository
) -> None:
    MESSAGES.clear()
    (seeds / "torn.jsonl").write_text("{\n")
    result = failed_run(instance, repository, "torn")
    context = dg.build_run_status_sensor_context(
        "tell_about_failures", result.get_run_failure_event(), instance, result.dagster_run,
    ).for_run_failure()  # fmt: skip
    automation.tell_about_failures(context, notifier=Recorder())
    (message,) = MESSAGES
    assert message.startswith("read_seeds (torn) failed: ")
    assert "torn.jsonl:1" in message
    assert message.endswith(f"/runs/{result.run_id}")


def test_without_a_webhook_a_failure_is_logged(monkeypatch, caplog) -> None:
    monkeypatch.delenv(WEBHOOK, raising=False)
    WebhookNotifier().notify("it failed")
    assert "it failed" in caplog.text
    assert WEBHOOK in caplog.text
