"""A whole training run outside the artifact store: reference log-probabilities, then training.

`steps/checkpoints.py` runs the same jobs of `launch.py` as two assets: there the store names the
work folders, checks what each is made of, and publishes. Here one folder stands for all of that,
and several processes, one for each GPU, may run the whole. What the two would share besides the
jobs is their order.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import held, publish_folder
from iterpref_assets.core.pairs.manifest import require_trainable
from iterpref_assets.core.pairs.token_files import tokens_of
from iterpref_assets.core.training import launch
from iterpref_assets.core.training.checks import require_runnable
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.processes import processes_of, rank, wait_for_all
from iterpref_assets.core.training.recipes import Recipe
from iterpref_assets.core.training.trainer import TrainOutcome
from iterpref_assets.core.training.workdir import model_digest, table_digest

MANIFEST = "training.json"
"""What a trained model says of its making: sources by digest, recipe, options, figures."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        pairs: the pair table.
        tokens: a tables.TOKENIZED_PAIRS table in the tokens of the model.
        model: the folder of the base model, which is the reference model too.
        recipe: with the strengths that the options give it.
        config: the options.
        out: where the trained model is to lie.
        base_model: where the base model comes from, as it goes on record.
    """

    pairs: Path
    tokens: Path
    model: Path
    recipe: Recipe
    config: TrainConfig
    out: Path
    base_model: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def work(self) -> Path:
        """Where unfinished work lies, from which a killed run resumes."""
        return self.out.with_name(f"{self.out.name}.work")


def prepared_run(pairs: Path, model: Path, recipe: Recipe, config: TrainConfig, out: Path) -> Run:
    """The run that trains `model` on the pair table `pairs`, before a model is loaded.

    Ids and masks are read beside the table where they lie there, else in the table itself.

    Raises:
        InputError: where the options contradict each other or the recipe, `out` exists, or the
            pairs are not as they should be or must not be trained on.
    """
    recipe = recipe.with_strengths(config.beta, config.alpha)
    require_runnable(config, processes_of(config))
    _require_absent(out)
    _refuse_json(pairs, model)
    tokens = tokens_of(pairs)
    require_trainable(pairs, pl.read_parquet(tokens, columns=["pair_id"])["pair_id"])
    return Run(pairs, tokens, model, recipe, config, out)


def _require_absent(out: Path) -> None:
    if out.exists():
        raise InputError(
            "exists already", file=out, field="out", remedy="Remove it, or give another folder"
        )


def _require_own_tokens(run: Run) -> None:
    """Refuse ids of another model's tokenizer, as far as some pairs' programs show them.

    Raises:
        InputError: where the model's tokenizer reads other letters in the ids of y+.
    """
    from transformers import AutoTokenizer

    if not run.pairs.is_file() or "chosen" not in pl.read_parquet_schema(run.pairs):
        return
    try:
        tokenizer = AutoTokenizer.from_pretrained(run.model)
    except (OSError, ValueError):
        return  # a model without a tokenizer can be trained, and shows nothing
    ids = pl.scan_parquet(run.tokens).select("pair_id", "chosen_ids").head(_SHOWING).collect()
    texts = pl.scan_parquet(run.pairs).select("pair_id", "chosen").collect()
    for chosen, row in ids.join(texts, on="pair_id").select("chosen", "chosen_ids").iter_rows():
        known = max(row) < len(tokenizer)
        if not known or _letters(chosen) not in _letters(tokenizer.decode(row)):
            command = shlex.join(["iterpref", "pairs", "...", "--tokenizer", str(run.model)])
            raise InputError(
                "holds token ids of another tokenizer than the model's",
                file=run.tokens,
                field="chosen_ids",
                remedy=f"Make the pairs of the same trajectories for this model: {command}",
            )


def _letters(text: str) -> str:
    """What every tokenizer keeps as it is."""
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())


_SHOWING = 8
"""Pairs whose ids are read."""
_JSON = (".json", ".jsonl", ".gz", ".xz", ".zst")


def _refuse_json(pairs: Path, model: Path) -> None:
    """Refuse what pairs can be made of, with the command that makes them."""
    if pairs.suffix not in _JSON:
        return
    table = pairs.with_name(f"{pairs.name.partition('.')[0]}.parquet")
    command = ["iterpref", "pairs", "--trajectories", pairs, "--tokenizer", model, "--out", table]
    raise InputError(
        "holds no token ids and masks, which training reads",
        file=pairs,
        remedy=f"Make pairs of it first: {shlex.join(map(str, command))} and train with "
        f"--pairs {shlex.quote(str(table))}",
    )


def train_standalone(run: Run) -> TrainOutcome:
    """Train, and leave the model with its manifest at `out`; what the run came to.

    Every process of a run calls this. The first one publishes.

    Raises:
        InputError: where another process makes the same model or has made it, the table is not as
            it should be, or in another tokenizer's tokens.
        TrainingError: where training fails in a way that the user can mend.
    """
    if rank() != 0:
        return _train(run)
    with held(run.work):
        _require_absent(run.out)  # another process may have made it since `run` was prepared
        return _train(run)


def _train(run: Run) -> TrainOutcome:
    _require_own_tokens(run)
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
    outcome = launch.train_model(job, lambda _: None)
    if rank() == 0:
        _publish(run, {**sources, "figures": outcome.figures, "trackers": outcome.links})
    return outcome


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
        "base_model": dict(run.base_model),
        "recipe": asdict(run.recipe),
        "config": run.config.model_dump(mode="json"),
        "code_version": version("iterpref-assets"),
    }
    (run.work / "model" / MANIFEST).write_text(json.dumps(manifest, indent=2))
    publish_folder(run.work / "model", run.out)
    shutil.rmtree(run.work)
