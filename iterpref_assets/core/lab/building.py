"""The lab's base model from nothing: trained, scored, put in a folder with its provenance."""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.checkout import commit_of
from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.engines.config import Dtype, TransformersConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.files import publish_folder
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig, pretrain
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.core.lab.shipped import PROVENANCE_FILE, Provenance
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, sample_problems
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
    problems = {problem.problem_id: problem for problem in compose_heldout(heldout)}
    engine = open_engine(TransformersConfig(dtype=Dtype.FLOAT32, batch_size=64), model.resolve())
    sampling = SamplingConfig(
        temperature=0.0,
        top_p=1.0,
        max_tokens=MAX_ANSWER_TOKENS,
        max_in_flight=256,
        samples_per_problem=1,
    )
    work_dir.mkdir()
    prompts = Prompts(LAB_PROMPTS)
    completions = sample_problems(list(problems.values()), engine, sampling, prompts, work_dir)
    with Sandbox() as sandbox:
        columns = ("problem_id", "completion")
        passed = [
            _passes(problems[name], text, sandbox)
            for name, text in completions.select(columns).iter_rows()
        ]
    return sum(passed) / len(passed)


def _passes(problem: Problem, text: str, sandbox: Sandbox) -> bool:
    program = read_answer(text, problem.entry_point).program
    return program is not None and sandbox.judge(program, problem.tests).passed
