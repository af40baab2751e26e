"""A step that hangs in the run's own process is ended, says so, and gives its pool back."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import ArtifactStore, Plan
from iterpref_assets.defs import metadata, step_limit
from iterpref_assets.defs.offenders import check_result
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.defs.step_limit import ended_in_time
from iterpref_assets.steps.findings import Findings
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step

SECONDS = 0.5
LONG = 600

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_OPERATIONS__STEP_HOURS", str(SECONDS / 3600))
    monkeypatch.setattr(step_limit, "AFTER_WORKERS", 0)


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance whose pool `sandbox` has one slot."""
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path / "data"))
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as opened:
        opened.event_log_storage.set_concurrency_slots("sandbox", 1)
        yield opened


def made_by(publish: Callable[..., None]) -> dg.AssetsDefinition:
    step = Step(
        asset="hanging", partitioning=Partitioning.WHOLE, publish=publish, code_version="1"
    )  # fmt: skip
    return stage_asset(
        step, description="Hangs.", group="problems", kinds={"python"}, pool="sandbox",
        describe=metadata.of_nothing,
    )  # fmt: skip


def hang(_context, _plans: list[Plan]) -> None:
    time.sleep(LONG)


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.get_step_failure_events()
    return event.step_failure_data.user_failure_data.description


def materialized(asset: dg.AssetsDefinition, instance: dg.DagsterInstance):
    return dg.materialize(
        [asset], instance=instance, raise_on_error=False,
        resources={"project": ProjectResource(), "workers": WorkerResource()},
    )  # fmt: skip


def test_a_step_that_hangs_in_the_run_is_ended_and_its_pool_is_free(pool) -> None:
    said = failure_of(materialized(made_by(hang), pool))
    assert "ended after 0.5 s" in said
    assert "operations.step_hours" in said
    assert pool.event_log_storage.get_concurrency_info("sandbox").active_slot_count == 0


def test_a_step_that_takes_any_exception_for_its_own_is_ended(pool, monkeypatch) -> None:
    """It hangs again wherever an exception is caught."""

    def stubborn(_context, _plans: list[Plan]) -> None:
        while True:
            try:
                time.sleep(LONG)
            except Exception:  # noqa: BLE001 - as a retry has it
                continue

    assert "operations.step_hours" in failure_of(materialized(made_by(stubborn), pool))


def test_a_check_that_hangs_is_ended(pool) -> None:
    @dg.asset
    def checked() -> None: ...

    def find() -> Findings:
        time.sleep(LONG)
        return Findings.of({}, [])

    @dg.asset_check(asset=checked)
    def hanging() -> dg.AssetCheckResult:
        return check_result(find, ArtifactStore(Path("none")), [])

    result = dg.materialize([checked, hanging], instance=pool, raise_on_error=False)
    assert "operations.step_hours" in failure_of(result)


def test_what_ends_in_time_is_left_alone() -> None:
    with ended_in_time(SECONDS / 3600):
        pass
    time.sleep(2 * SECONDS)


def test_a_failure_before_the_limit_is_the_failure_that_it_was() -> None:
    with pytest.raises(KeyError, match="own"), ended_in_time(1):
        raise KeyError("own")


HANGING_BELOW_PYTHON = """
import itertools
from iterpref_assets.defs import step_limit
step_limit.AFTER_WORKERS, step_limit.UNTIL_KILLED = 0, 2
with step_limit.ended_in_time(0.5 / 3600):
    sum(itertools.repeat(1))  # runs no line of Python, so no exception reaches it
"""


def test_the_process_of_a_step_that_no_exception_reaches_is_ended_with_its_stack() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING_BELOW_PYTHON], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>", line 6 in <module>' in done.stderr
