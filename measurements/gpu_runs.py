"""One measured run on a GPU, or at the tiny shape on a CPU: of this project's trainer or of trl's.

    python measurements/gpu_runs.py CASE.json      # prints one JSON line; started by gpu.py

Weights are random and made where they are trained, so that no 15 GB file is written or read: the
function that loads a model is replaced, and all else is the trainer as it is.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import torch

from iterpref_assets.core import tables
from iterpref_assets.core.training import policy
from iterpref_assets.core.training.config import (
    Attention,
    Optimizer,
    Precision,
    Schedule,
    TrainConfig,
)
from iterpref_assets.core.training.dataset import PackedPairs, token_pairs
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train

WARM_UP = 2
"""Steps that compile and claim memory."""
_QWEN: dict[str, Any] = {"max_position_embeddings": 32_768, "rope_theta": 1_000_000.0}
SHAPES: dict[str, dict[str, Any]] = {
    "tiny": _QWEN | {
        "vocab_size": 2_000, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True,
    },
    "0.5B": _QWEN | {
        "vocab_size": 151_936, "hidden_size": 896, "intermediate_size": 4864,
        "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
    "7B": _QWEN | {
        "vocab_size": 152_064, "hidden_size": 3584, "intermediate_size": 18_944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "tie_word_embeddings": False,
    },
}  # fmt: skip
"""The Qwen2.5-Coder shapes, and one for a CPU."""


@dataclass(frozen=True)
class Case:
    """What to run: `who` is ours, trl or rate (the card's matrix products)."""

    name: str
    who: str
    pairs: str = ""
    shape: str = "tiny"
    recipe: str = "focal_rpo"
    precision: str = "bfloat16"
    optimizer: str = "adamw"
    attention: str | None = None
    checkpointing: bool = True
    compiled: bool = False
    batch: int = 8
    micro: int = 1
    steps: int = 5
    precompute: bool = False
    reference_tokens: int = 8192
    rate: float = 5e-6
    timeout: float = 120


def do(case: Case) -> dict[str, Any]:
    """What `case` measured."""
    return {"rate": matrix_rate, "ours": ours, "trl": trl}[case.who](case)


def matrix_rate(case: Case, size: int = 8192, repeats: int = 40) -> dict[str, Any]:
    """Operations a second of this card in bfloat16 matrix products, and bytes a second copied."""
    del case
    if not torch.cuda.is_available():
        size, repeats = 512, 3
    device = _device()
    one, other = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    product = _seconds(lambda: torch.mm(one, other), repeats)
    large = torch.empty(2 * size * size, device=device, dtype=torch.float32).uniform_()
    copied = torch.empty_like(large)
    copy = _seconds(lambda: copied.copy_(large), repeats)
    return {
        "matrix_operations_a_second": 2 * size**3 / product,
        "copied_bytes_a_second": 2 * large.nbytes / copy,
    }


def _seconds(act: Any, repeats: int) -> float:
    for _ in range(3):
        act()
    _wait()
    start = time.perf_counter()
    for _ in range(repeats):
        act()
    _wait()
    return (time.perf_counter() - start) / repeats


def ours(case: Case) -> dict[str, Any]:
    """A run of this project's trainer: its reference pass, its steps, its losses."""
    tokens = _tokens(case)
    config = TrainConfig(
        learning_rate=case.rate,
        epochs=1,
        batch_size=case.batch,
        micro_batch_size=case.micro,
        warmup_ratio=0,
        schedule=Schedule.CONSTANT,
        precision=Precision(case.precision),
        optimizer=Optimizer(case.optimizer),
        attention=None if case.attention is None else Attention(case.attention),
        gradient_checkpointing=case.checkpointing,
        compile_layers=case.compiled,
        reference_batch_tokens=case.reference_tokens,
        save_minutes=10_000,
    )
    marks: list[float] = []
    points: list[dict[str, float]] = []

    def note(point: dict[str, float]) -> None:
        marks.append(time.perf_counter())
        points.append(point)
        if len(points) == case.steps:
            raise _Done

    with tempfile.TemporaryDirectory() as name, _models_made_here(case):
        folder = Path(name)
        _configuration(case).save_pretrained(folder)
        start = time.perf_counter()
        reference = compute_reference_logprobs(tokens, folder, config, folder / "reference")
        scored = time.perf_counter() - start
        _forget_peak()
        started = time.perf_counter()
        with contextlib.suppress(_Done):
            train(
                tokens, reference, folder, recipe_named(case.recipe), config,
                folder / "out", folder / "work", note,
            )  # fmt: skip
    rows = PackedPairs(token_pairs(tokens, None), recipe_named(case.recipe), config.max_length)
    read = sum(len(row.at) for row in (rows[index] for index in range(len(rows))) if row)
    layers, projected = float(rows.lengths().sum()) / len(tokens), read / len(tokens)
    return _costs(case, [started, *marks], [point["loss"] for point in points]) | {
        "reference_seconds_a_pair": scored / len(tokens),
        "margins": [point.get("reward_margin") for point in points],
        "gradient_norms": [point.get("grad_norm") for point in points],
        "tokens_computed_a_pair": layers,
        "tokens_projected_a_pair": projected,
        "operations_a_pair": _operations(SHAPES[case.shape], layers, projected),
        "compiled_graphs": torch._dynamo.utils.counters["stats"]["unique_graphs"],  # noqa: SLF001
    }


class _Done(Exception):  # noqa: N818 - nothing went wrong
    """All steps are measured; the model is not saved."""


@contextlib.contextmanager
def _models_made_here(case: Case) -> Iterator[None]:
    """Let the trainer find a model of random weights wherever it loads one."""

    def load_policy(
        _: Path, config: TrainConfig, precision: Precision, attention: Attention
    ) -> Any:
        dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
        model = _random_model(case, dtype, attention.value)
        policy.give_logprobs(model, config.vocabulary_chunk)
        return model

    with mock.patch.object(policy, "load_policy", load_policy):
        yield


def _configuration(case: Case) -> Any:
    from transformers import Qwen2Config

    return Qwen2Config(**SHAPES[case.shape])


def _random_model(case: Case, dtype: torch.dtype, attention: str) -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    with torch.device(_device()):
        model = AutoModelForCausalLM.from_config(
            _configuration(case), dtype=torch.bfloat16, attn_implementation=attention
        )
    return model.to(dtype)


def trl(case: Case) -> dict[str, Any]:
    """A run of trl's DPOTrainer on the very same token ids."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    marks: list[float] = []

    class IdsTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            del args, kwargs
            return dataset

    class Mark(TrainerCallback):
        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            del args, kwargs
            _forget_peak()
            marks.append(time.perf_counter())

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            del args, kwargs
            _wait()
            marks.append(time.perf_counter())

    tokens = _tokens(case)
    rows = tokens.select("prompt_ids", "chosen_ids", "rejected_ids").to_dict(as_series=False)
    text = dict.fromkeys(("prompt", "chosen", "rejected"), [""] * len(tokens))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<end>": 0}, unk_token="<end>")),
        eos_token="<end>", pad_token="<end>",
    )  # fmt: skip
    half = case.precision == Precision.BFLOAT16
    dtype = torch.bfloat16 if half else torch.float32
    made = [_random_model(case, dtype, "sdpa") for _ in range(1 if case.precompute else 2)]
    with tempfile.TemporaryDirectory() as work:
        arguments = DPOConfig(
            output_dir=work,
            per_device_train_batch_size=case.micro,
            gradient_accumulation_steps=case.batch // case.micro,
            num_train_epochs=1,
            learning_rate=case.rate,
            lr_scheduler_type="constant",
            beta=0.1,
            loss_type=["sigmoid", "sft"] if recipe_named(case.recipe).alpha else "sigmoid",
            max_length=2048,
            precompute_ref_log_probs=case.precompute,
            gradient_checkpointing=case.checkpointing,
            use_cpu=not torch.cuda.is_available(),
            bf16=case.precision != Precision.FLOAT32,
            optim="adamw_torch_8bit" if case.optimizer == "adamw_8bit" else "adamw_torch_fused",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        )
        start = time.perf_counter()
        # The name under which trl keeps what it precomputed is a hash of 30 GB at 7B.
        with mock.patch("trl.trainer.dpo_trainer.hash_module", return_value="random"):
            trainer = IdsTrainer(
                model=made[0],
                ref_model=made[1] if len(made) > 1 else None,
                args=arguments,
                train_dataset=Dataset.from_dict(rows | text),
                processing_class=tokenizer,
                callbacks=[Mark()],
            )
        scored = time.perf_counter() - start
        trainer.train()
    history = trainer.state.log_history
    losses = [point["loss"] for point in history if "loss" in point]
    return _costs(case, marks, losses) | {
        "reference_seconds_a_pair": scored / len(tokens) if case.precompute else None
    }


def _costs(case: Case, marks: list[float], losses: list[float]) -> dict[str, Any]:
    """Seconds of the steps, pairs a second of those after the warm-up, and peak memory in bytes."""
    steps = [after - before for before, after in itertools.pairwise(marks)]
    found = {
        "pairs_a_second": case.batch / statistics.median(steps[WARM_UP:]),
        "step_seconds": steps,
        "losses": losses,
    }
    if torch.cuda.is_available():
        return found | {
            "peak_bytes": torch.cuda.max_memory_allocated(),
            "peak_reserved_bytes": torch.cuda.max_memory_reserved(),
        }
    return found | {"peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def _operations(shape: dict[str, Any], layers: float, projected: float) -> float:
    """Multiplications and additions a pair in the weights alone, 2 forward and 4 backward each.

    Those that checkpointing repeats are not counted, nor those of attention.
    """
    hidden = shape["hidden_size"]
    heads = hidden // shape["num_attention_heads"] * shape["num_key_value_heads"]
    layer = 2 * hidden * (hidden + heads) + 3 * hidden * shape["intermediate_size"]
    weights = shape["num_hidden_layers"] * layer
    return 6 * (weights * layers + hidden * shape["vocab_size"] * projected)


def _tokens(case: Case) -> pl.DataFrame:
    """The pairs of the case, each token within the vocabulary of its shape."""
    vocabulary = SHAPES[case.shape]["vocab_size"]
    table = tables.read_table(Path(case.pairs), tables.TOKENIZED_PAIRS)
    needed = case.batch * case.steps
    repeated = pl.concat([table] * -(-needed // len(table))).head(needed)
    ids = pl.col("prompt_ids", "chosen_ids", "rejected_ids")
    return repeated.with_columns(
        ids.list.eval(pl.element() % vocabulary),
        pair_id=pl.int_range(pl.len()).cast(pl.String),
    )


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _forget_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    case = Case(**json.loads(sys.argv[1]))
    print(json.dumps({"case": asdict(case)} | do(case)))
