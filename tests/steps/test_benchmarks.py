"""What a benchmark's scores are planned from, and what they refuse to start with."""

import json
from pathlib import Path

import polars as pl
import pytest
from livecodebench_file import PROBLEM, livecodebench_file

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import (
    BENCHMARK_SCORES,
    BENCHMARK_TASKS,
    PROMPTS_FILE,
    SOURCE_FILE,
    TASKS_FILE,
    failing_benchmark_references,
)
from iterpref_assets.steps.step import StepContext

(TASKS,) = (step for step in BENCHMARK_TASKS if step.asset == "livecodebench_tasks")
(SCORES,) = (step for step in BENCHMARK_SCORES if step.asset == "livecodebench_scores")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return livecodebench_file(tmp_path)


@pytest.fixture
def configured(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch):
    """The context of a deployment with LiveCodeBench and what else is asked for."""

    def make(solution: str = "", **benchmarks) -> StepContext:
        source = {"data": str(data)}
        if solution:
            source["solutions"] = str(tmp_path / "solutions.jsonl")
            row = {"task_id": "add", "solution": solution}
            (tmp_path / "solutions.jsonl").write_text(json.dumps(row) + "\n")
        monkeypatch.setenv(
            "ITERPREF_BENCHMARKS", json.dumps({"livecodebench": source, **benchmarks})
        )
        monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path / "root"))
        return StepContext(load_settings(), ArtifactStore(tmp_path / "root"))

    return make


def publish_tasks(context: StepContext, sha256: str, verdict: str = "no_reference") -> None:
    row = ("add", "", "", verdict, "", "")
    frame = pl.DataFrame([row], schema=tables.BENCHMARK_TASKS, orient="row")
    with context.store.publishing(Plan(ArtifactKey("livecodebench_tasks"), "1")) as staging:
        tables.write_table(frame, tables.BENCHMARK_TASKS, staging.folder / TASKS_FILE)
        source = DataSource(benchmark="livecodebench", sha256=sha256, md5="")
        (staging.folder / SOURCE_FILE).write_text(source.model_dump_json())


def test_other_data_makes_tasks_and_scores_stale(configured, data: Path) -> None:
    context = configured()
    before = [TASKS.plan(context, "all"), SCORES.plan(context, "lab/focal_rpo")]
    data.write_text(json.dumps(PROBLEM | {"question_content": "Add."}) + "\n")
    after = [TASKS.plan(context, "all"), SCORES.plan(context, "lab/focal_rpo")]
    assert all(old.config != new.config for old, new in zip(before, after, strict=True))


def test_fewer_completions_asked_for_at_once_ask_for_no_other_scores(configured) -> None:
    context = configured()
    settings = context.settings.overridden("evaluation", {"in_flight": 1})
    changed = StepContext(settings, context.store)
    plans = [SCORES.plan(each, "lab/focal_rpo") for each in (context, changed)]
    assert plans[0] == plans[1]


def test_only_the_reference_model_is_asked_as_a_base_model(configured) -> None:
    context = configured(base_prompts=["lab"])
    asked = [SCORES.plan(context, f"lab/{name}").config for name in ("reference", "focal_rpo")]
    assert [config["base_prompts"] for config in asked] == [True, False]


def test_a_misspelt_base_model_is_named(configured) -> None:
    with pytest.raises(InputError, match=r"benchmarks\.base_prompts"):
        SCORES.plan(configured(base_prompts=["lap"]), "lab/reference")


def test_data_that_changed_since_its_references_ran_is_refused(configured) -> None:
    context = configured()
    publish_tasks(context, "other")
    with pytest.raises(InputError, match="changed since its reference solutions were run"):
        SCORES.publish(context, [])


@pytest.mark.parametrize(
    ("verdict", "offenders"), [("passed", []), ("wrong_answer", ["add: wrong_answer "])]
)
def test_a_failing_reference_is_an_offender(configured, verdict: str, offenders) -> None:
    context = configured()
    publish_tasks(context, "sha", verdict)
    assert failing_benchmark_references(context.store, "livecodebench").lines == offenders


@pytest.mark.sandbox
def test_tasks_whose_reference_fails_are_not_published(configured) -> None:
    context = configured("print(4)")
    with pytest.raises(InputError, match="1 reference solutions fail here, first add"):
        TASKS.publish(context, [context.store.pinned(TASKS.plan(context, "all"))])
    assert context.store.find(ArtifactKey("livecodebench_tasks")) is None


@pytest.mark.sandbox
def test_what_the_tasks_ask_is_kept_for_their_page(configured) -> None:
    context = configured("print(3)")
    TASKS.publish(context, [context.store.pinned(TASKS.plan(context, "all"))])
    file = context.store.current(ArtifactKey("livecodebench_tasks")).path(PROMPTS_FILE)
    assert "Add two numbers." in json.loads(file.read_text())["add"]


def test_nothing_is_scored_where_a_reference_fails(configured) -> None:
    context = configured()
    publish_tasks(context, "sha", "wrong_answer")
    with pytest.raises(InputError, match=r"1 reference solutions fail here, first add.*anew: true"):
        SCORES.publish(context, [])
