"""What `iterpref run` says before it starts."""

import logging

import dagster as dg
import pytest

from iterpref_assets.runner import warn_of_full_pools


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
