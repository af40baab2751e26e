"""What `iterpref run` says before it starts and on its way."""

import logging
import os
import shutil
import subprocess
import sys

import dagster as dg
import pytest

from iterpref_assets.commands.run import DAGSTER_YAML
from iterpref_assets.core.artifacts import UNPARTITIONED
from iterpref_assets.core.errors import InputError
from iterpref_assets.defs.dead_runs import (
    PROCESS_TAG,
    end_dead_runs,
    process_tag,
    release_dead_runs,
    tag_with_process,
)
from iterpref_assets.defs.partitions import DEFINITIONS
from iterpref_assets.phases import Phase
from iterpref_assets.runner import (
    execute,
    materialize_chain,
    open_instance,
    warn_of_full_pools,
)
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.steps.partitions import Partitioning, partitions_of


@pytest.fixture
def instance(tmp_path):
    with dg.instance_for_test(temp_dir=str(tmp_path)) as opened:
        opened.event_log_storage.set_concurrency_slots("gpu", 1)
        yield opened


def test_a_pool_whose_slots_are_held_is_named_with_the_run(instance, caplog) -> None:
    run = dg.DagsterRun("job", run_id="5d9c1f4e-0000-4000-8000-000000000000")
    instance.run_storage.add_run(run)
    instance.event_log_storage.claim_concurrency_slot("gpu", run.run_id, "step")
    with caplog.at_level(logging.WARNING, "iterpref"):
        warn_of_full_pools(instance)
    assert "pool gpu is full" in caplog.text
    assert run.run_id in caplog.text


def test_of_a_free_pool_nothing_is_said(instance, caplog) -> None:
    with caplog.at_level(logging.WARNING, "iterpref"):
        warn_of_full_pools(instance)
    assert not caplog.text


RUN_ID = "7e0b5a56-0000-4000-8000-000000000000"


@pytest.fixture
def started(instance):
    """Record a started run of a process, which holds a pool's slot; says how it fares after."""

    def start(process: str) -> tuple[dg.DagsterRunStatus, int]:
        run = dg.DagsterRun(
            "job", run_id=RUN_ID, status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: process}
        )
        instance.run_storage.add_run(run)
        instance.event_log_storage.claim_concurrency_slot("gpu", run.run_id, "step")
        release_dead_runs(instance)
        held = instance.event_log_storage.get_concurrency_info("gpu").active_slot_count
        return instance.get_run_by_id(run.run_id).status, held

    return start


def test_a_run_whose_process_lives_keeps_its_slot(started) -> None:
    assert started(process_tag(RUN_ID, os.getpid())) == (dg.DagsterRunStatus.STARTED, 1)


def test_a_run_whose_process_is_gone_is_failed_and_its_slot_freed(started) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        tag = process_tag(RUN_ID, process.pid)
        process.kill()
    assert started(tag) == (dg.DagsterRunStatus.FAILURE, 0)


def test_a_run_whose_killed_process_nobody_has_waited_for_is_failed_and_its_slot_freed(
    started,
) -> None:
    """The parent may be killed too, and what inherits its children takes its time."""
    with subprocess.Popen(["sleep", "60"]) as process:
        tag = process_tag(RUN_ID, process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert started(tag) == (dg.DagsterRunStatus.FAILURE, 0)


def test_a_run_whose_process_id_another_process_has_now_is_failed_and_its_slot_freed(
    started,
) -> None:
    before, _, _ = process_tag(RUN_ID, os.getpid()).rpartition(":")
    assert started(f"{before}:0") == (dg.DagsterRunStatus.FAILURE, 0)


def test_a_run_of_another_namespace_of_processes_is_left_alone(started) -> None:
    """Its process may live under an id that is none here, or another's."""
    run, host, namespace, *rest = process_tag(RUN_ID, os.getpid()).split(":")
    elsewhere = ":".join([run, host, f"{namespace}0", *rest[:-1], "0"])
    assert started(elsewhere) == (dg.DagsterRunStatus.STARTED, 1)


def test_a_run_that_succeeded_since_it_was_read_stays_so(instance, monkeypatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        tag = process_tag(RUN_ID, process.pid)
        process.kill()
    status = dg.DagsterRunStatus.STARTED
    read = dg.DagsterRun("job", run_id=RUN_ID, status=status, tags={PROCESS_TAG: tag})
    instance.run_storage.add_run(read)
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, "job"), RUN_ID
    )
    monkeypatch.setattr(instance, "get_runs", lambda _filter: [read])
    assert end_dead_runs(instance) == []
    assert instance.get_run_by_id(RUN_ID).status is dg.DagsterRunStatus.SUCCESS


def test_a_run_of_another_host_is_left_alone(started) -> None:
    assert started(f"{RUN_ID}:elsewhere:1:boot:0") == (dg.DagsterRunStatus.STARTED, 1)


def test_a_retry_is_not_failed_for_the_process_of_the_run_that_it_retries(started) -> None:
    """Dagster gives a retry the tags of the run before."""
    with subprocess.Popen(["sleep", "60"]) as process:
        tag = process_tag("another run", process.pid)
        process.kill()
    assert started(tag) == (dg.DagsterRunStatus.STARTED, 1)


def test_a_retry_takes_the_tag_of_its_own_process(instance) -> None:
    inherited = process_tag("another run", os.getpid())
    run = dg.DagsterRun("job", run_id=RUN_ID, tags={PROCESS_TAG: inherited})
    instance.run_storage.add_run(run)
    tag_with_process(instance, run)
    assert instance.get_run_by_id(RUN_ID).tags[PROCESS_TAG] == process_tag(RUN_ID, os.getpid())


def test_a_process_whose_name_holds_blanks_and_parentheses_has_a_start(tmp_path) -> None:
    program = tmp_path / "a) b (c"
    shutil.copy(shutil.which("sleep"), program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            assert process_tag(RUN_ID, process.pid).rpartition(":")[2].isdecimal()
        finally:
            process.kill()


@pytest.fixture
def told(instance, caplog):
    """What a run of two assets and two checks has told as the second is made, and at its end."""
    told = []

    @dg.asset
    def first() -> None:
        """Made at once."""

    @dg.asset_check(asset=first, blocking=True)
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    @dg.asset_check(asset=first)
    def fails() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, description="two of three"
        )

    @dg.asset(deps=[first])
    def second() -> None:
        told.append(caplog.text)

    definitions = dg.Definitions(assets=[first, second], asset_checks=[holds, fails])
    with caplog.at_level(logging.INFO, "iterpref"):
        execute(definitions, instance, ["first", "second"], [UNPARTITIONED])
    return *told, caplog.text


def test_an_asset_is_told_of_before_the_next_is_made(told) -> None:
    at_second, _ = told
    assert "first: materialized all in " in at_second
    assert "second" not in at_second


def test_a_check_that_holds_is_told_as_passed(told) -> None:
    assert "first: check holds passed" in told[-1]


def test_a_check_that_warns_is_told_with_its_reason(told) -> None:
    assert "first: check fails warns: two of three" in told[-1]


def test_a_check_is_not_called_materialized(told) -> None:
    assert told[-1].count("materialized") == 2


@pytest.mark.parametrize(
    ("error", "has_a_stack"), [(dg.Failure("no such file"), False), (KeyError("fault"), True)]
)
def test_only_what_no_step_foresaw_is_told_with_its_stack(
    instance, caplog, error: Exception, has_a_stack: bool
) -> None:
    @dg.asset
    def failing() -> None:
        raise error

    with pytest.raises(InputError):
        execute(dg.Definitions(assets=[failing]), instance, ["failing"], [UNPARTITIONED])
    assert ("Stack Trace" in caplog.text) is has_a_stack


def test_an_interruption_that_became_the_failure_of_a_step_is_no_fault(instance, caplog) -> None:
    """As where a second Ctrl-C comes while Dagster records the first."""

    # Dagster records an exception by the name of its class.
    interruption = type(dg.DagsterExecutionInterruptedError.__name__, (Exception,), {})

    @dg.asset
    def asked_to_end() -> None:
        raise interruption

    with pytest.raises(KeyboardInterrupt):
        execute(dg.Definitions([asked_to_end]), instance, ["asked_to_end"], [UNPARTITIONED])
    assert "Stack Trace" not in caplog.text


def test_a_run_writes_to_the_stderr_of_its_own_process(tmp_path, monkeypatch) -> None:
    """Dagster's own instance diverts it, and loses what a run says last."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML.read_text())
    seen = []

    @dg.asset
    def asked() -> None:
        seen.append(os.fstat(sys.stderr.fileno()))

    with open_instance() as instance:
        execute(dg.Definitions([asked]), instance, ["asked"], [UNPARTITIONED])
    with dg.DagsterInstance.get() as instance:
        execute(dg.Definitions([asked]), instance, ["asked"], [UNPARTITIONED])
        assert instance.get_runs_count() == 2
    straight, diverted = seen
    own = os.fstat(sys.stderr.fileno())
    assert straight == own
    assert diverted != own


def test_a_run_of_the_chain_says_who_started_it(instance) -> None:
    @dg.asset
    def made() -> None: ...

    execute(dg.Definitions([made]), instance, ["made"], [UNPARTITIONED])
    (run,) = instance.get_runs()
    shown = {name: tag for name, tag in run.tags.items() if not name.startswith((".", "dagster/"))}
    assert shown == {"iterpref/reason": "iterpref run"}


def test_a_run_makes_every_partition_of_what_is_divided_otherwise_than_by_shards(
    instance, tmp_path
) -> None:
    made = []
    pair_sets = partitions_of(Partitioning.PAIR_SET, load_settings())

    @dg.asset(
        partitions_def=DEFINITIONS[Partitioning.PAIR_SET],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def experiment_pairs(context: dg.AssetExecutionContext) -> None:
        made.extend(context.partition_keys)

    settings = Settings.model_validate({"root": tmp_path / "data"})
    phase = Phase(("experiment_pairs",), pair_sets)
    materialize_chain(dg.Definitions([experiment_pairs]), instance, settings, [phase])
    assert len(pair_sets) > 1
    assert made == list(pair_sets)
