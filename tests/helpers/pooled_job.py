"""A job of one step in a pool, run by the project's executor as `dg launch` would.

As a script, INSTANCE_FOLDER [die]: executes it, and with `die` is killed within the step.
"""

import os
import signal
import sys

import dagster as dg

from definitions import in_process
from iterpref_assets.defs.dead_runs import tag_with_process


@dg.op(pool="gpu", config_schema={"die": bool})
def step(context: dg.OpExecutionContext) -> None:
    tag_with_process(context.instance, context.run)
    if context.op_config["die"]:
        os.kill(os.getpid(), signal.SIGKILL)


@dg.job(executor_def=in_process)
def pooled() -> None:
    step()


if __name__ == "__main__":
    with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
        instance.event_log_storage.set_concurrency_slots("gpu", 1)
        config = {"ops": {"step": {"config": {"die": sys.argv[2:] == ["die"]}}}}
        dg.execute_job(dg.reconstructable(pooled), instance, run_config=config)
