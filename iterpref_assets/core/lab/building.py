"""The lab's base model from nothing: trained, scored, put in a folder with its provenance."""

from __future__ import annotations

import asyncio
import platform
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import torch

from iterpref_assets.core.checkout import commit_of
from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.engines.config import Dtype, TransformersConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.model_scoring import score_tasks
from iterpref_assets.core.evaluation.summary import summarize
from iterpref_assets.core.evaluation.tasks import problem_tasks
from iterpref_assets.core.files import publish_folder
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig, pretrain
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.core.lab.shipped import PROVENANCE_FILE, Provenance
from iterpref_assets.core.sandbox.sandbox import Sandbox

MAX_ANSWER_TOKENS = 256


def build_lab_model(config: PretrainConfig, heldout: LabConfig, out: Path) -> Provenance:
    """Train, score and publish; `out` keeps its old content until all is done."""
    started = time.process_time()
    trained = pretrain(config)
    cpu_seconds = time.process_time() - started
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        folder = Path(scratch) / "model"
        trained.save(folder)
        provenance = Provenance(
            commit=commit_of(Path(__file__)),
            date=datetime.now(UTC).date().isoformat(),
            machine=f"{torch.get_num_threads()} threads, {platform.machine()}, "
            f"torch {torch.__version__}",
            config=config,
            parameters=trained.model.num_parameters(),
            cpu_seconds=round(cpu_seconds, 1),
            losses=[round(loss, 4) for loss in trained.losses],
            heldout=heldout,
            heldout_pass_at_1=score(folder, heldout, Path(scratch) / "samples"),
        )
        (folder / PROVENANCE_FILE).write_text(provenance.model_dump_json(indent=2) + "\n")
        shutil.rmtree(out, ignore_errors=True)
        publish_folder(folder, out)
    return provenance


def score(model: Path, heldout: LabConfig, work_dir: Path) -> float:
    """Greedy pass@1 of `model` on the held-out problems."""
    tasks = problem_tasks(compose_heldout(heldout), Prompts(LAB_PROMPTS))
    config = EvaluationConfig(max_tokens=MAX_ANSWER_TOKENS)
    engine = open_engine(TransformersConfig(dtype=Dtype.FLOAT32, batch_size=64), model.resolve())
    work_dir.mkdir()

    async def scores() -> pl.DataFrame:
        with Sandbox() as sandbox:
            async with engine:
                return await score_tasks(tasks, engine, sandbox, config, work_dir)

    return summarize(asyncio.run(scores()), config).pass_at_1
