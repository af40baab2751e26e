"""A whole training run outside the artifact store: reference log-probabilities, then training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iterpref_assets.core import tables
from iterpref_assets.core.training import launch
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.processes import rank, wait_for_all
from iterpref_assets.core.training.recipes import Recipe
from iterpref_assets.core.training.workdir import model_digest, table_digest

MANIFEST = "training.json"
"""What a trained model says of its making: sources by digest, recipe, options, figures."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        tokens: a tables.TOKENIZED_PAIRS table in the tokens of the model.
        model: the folder of the base model, which is the reference model too.
        recipe: with the strengths that the options give it.
        config: the options.
        out: where the trained model is to lie.
    """

    tokens: Path
    model: Path
    recipe: Recipe
    config: TrainConfig
    out: Path

    @property
    def work(self) -> Path:
        """Where unfinished work lies, from which a killed run resumes."""
        return self.out.with_name(f"{self.out.name}.work")


def train_standalone(run: Run) -> dict[str, float]:
    """Train, and leave the model with its manifest at `out`; the run's figures.

    Every process of a run calls this. The first one publishes.

    Raises:
        InputError: where the table is not as it should be.
        TrainingError: where training fails in a way that the user can mend.
    """
    sources = {
        "model_sha256": model_digest(run.model),
        "pairs_sha256": table_digest(tables.read_table(run.tokens, tables.TOKENIZED_PAIRS)),
    }
    job = launch.TrainJob(
        tokens=run.tokens,
        model_dir=run.model,
        config=run.config,
        recipe=run.recipe.name,
        reference=None,
        out=run.work / "model",
        work_dir=run.work / "training",
    )
    launch.forecast(job)
    if run.recipe.needs_reference:
        job = job.model_copy(update={"reference": _reference(run, sources)})
    figures = launch.train_model(job, lambda _: None).figures
    if rank() == 0:
        _publish(run, {**sources, "figures": figures})
    return figures


def _reference(run: Run, sources: Mapping[str, str]) -> Path:
    """The table of reference log-probabilities."""
    digests = (digest[:16] for digest in sources.values())
    # The remedy for memory that ran out is another precision, whose parts must not mix in.
    rounded = ["nf4"] if run.config.in_four_bits else []
    parts = run.work / "-".join(["reference", run.config.precision, *rounded, *digests])
    out = run.work / f"{parts.name}.parquet"
    launch.compute_reference(
        launch.ReferenceJob(
            tokens=run.tokens, model_dir=run.model, config=run.config, out=out, work_dir=parts
        )
    )
    wait_for_all()
    return out


def _publish(run: Run, told: Mapping[str, Any]) -> None:
    manifest = {
        **told,
        "recipe": asdict(run.recipe),
        "config": run.config.model_dump(mode="json"),
        "code_version": version("iterpref-assets"),
    }
    (run.work / "model" / MANIFEST).write_text(json.dumps(manifest, indent=2))
    (run.work / "model").replace(run.out)
    shutil.rmtree(run.work)
