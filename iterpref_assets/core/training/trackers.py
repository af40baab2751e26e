"""Where W&B and MLflow keep a run, told once it has begun there, and an end to it."""

from __future__ import annotations

import sys
from typing import Any

from transformers import TrainerCallback, TrainingArguments


class TrackerLinks(TrainerCallback):
    """Collects the address of the run at each tracker that transformers reports to.

    Attributes:
        links: by tracker: a URL, or how to find a run that is kept on this machine.
    """

    def __init__(self) -> None:
        self.links: dict[str, str] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any
    ) -> None:
        """The trackers' own callbacks come first, so their runs have begun."""
        del state, control, kwargs
        for name, find in (("wandb", _wandb_run), ("mlflow", _mlflow_run)):
            if name in (args.report_to or ()) and (link := find(sys.modules.get(name))):
                self.links[name] = link

    def finish(self) -> None:
        """End what transformers leaves open: the next run of this process is another one there."""
        if "wandb" in self.links:
            sys.modules["wandb"].finish()


def _wandb_run(wandb: Any) -> str | None:
    run = wandb and wandb.run
    if not run:
        return None
    return run.url or f"offline: wandb sync {run.settings.sync_dir}"


def _mlflow_run(mlflow: Any) -> str | None:
    run = mlflow and mlflow.active_run()
    if not run:
        return None
    place, info = mlflow.get_tracking_uri(), run.info
    if place.startswith("http"):
        return f"{place.rstrip('/')}/#/experiments/{info.experiment_id}/runs/{info.run_id}"
    return f"run {info.run_id} of {place}"
