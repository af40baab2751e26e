"""A job of one step in a pool, run by the project's executor as `dg launch` would.

As a script, INSTANCE_FOLDER [hang]: executes it; with `hang` the step goes on until it is killed.
"""

import sys
import time

import dagster as dg

from definitions import in_process


@dg.op(pool="gpu", config_schema={"hang": bool})
def step(context: dg.OpExecutionContext) -> None:
    while context.op_config["hang"]:
        time.sleep(1)


@dg.job(executor_def=in_process)
def pooled() -> None:
    step()


if __name__ == "__main__":
    with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
        instance.event_log_storage.set_concurrency_slots("gpu", 1)
        config = {"ops": {"step": {"config": {"hang": sys.argv[2:] == ["hang"]}}}}
        dg.execute_job(dg.reconstructable(pooled), instance, run_config=config)
