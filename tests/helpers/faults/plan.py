"""What is broken, and how: the tiny chain, its stages, the faults. Imports nothing of the product.

Definitions read the settings as they are imported, so these must stand in the environment before.
"""

import json
import random
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SHARDS = ("lab-000", "lab-001", "lab-002")
MODELS = ("lab", "twin")
RECIPES = ("lab/sft", "lab/sft_incorrect")
TINY = {
    "SEEDS": json.dumps(
        {
            "kind": "lab",
            "lab": {
                "shards": len(SHARDS), "problems_per_shard": 4, "heldout_problems": 2,
                "cases_per_problem": 10,
            },
        }
    ),
    "BASE_MODELS": json.dumps({name: {"source": "lab"} for name in MODELS}),
    "VARIANTS": json.dumps(["reference", "sft"]),
    "DEBUGGING__MAX_ROUNDS": "2",
    "TRAINING__EPOCHS": "2",
    "TRAINING__BATCH_SIZE": "4",
    "TRAINING__MICRO_BATCH_SIZE": "4",
    "TRAINING__SAVE_MINUTES": "0",
    "SAMPLED_EVALUATION__SAMPLES": "2",
    "EVALUATION_ENGINE__KIND": "transformers",
}  # fmt: skip
"""Settings, without the prefix of their variables."""
GENERATING = {"ENGINE__KIND": "transformers"}


def replaying(recorded: Path) -> dict[str, str]:
    """Settings that generate nothing anew."""
    files = sorted(str(path) for path in recorded.iterdir())
    return {"ENGINE": json.dumps({"kind": "replay", "completions": files})}


@dataclass(frozen=True)
class Stage:
    """An asset, the partitions a single launch and a range make, and whether a worker makes it."""

    asset: str
    partitions: tuple[str, ...]
    in_worker: bool = True


STAGES = (
    Stage("heldout_problems", ("all",), in_worker=False),
    Stage("lab_base_model", ("all",), in_worker=False),
    Stage("base_models", MODELS, in_worker=False),
    Stage("raw_seeds", SHARDS, in_worker=False),
    Stage("seed_problems", SHARDS, in_worker=False),
    Stage("initial_samples", SHARDS),
    Stage("debug_trajectories", SHARDS),
    Stage("codeflow_pairs", SHARDS),
    Stage("preference_pairs", MODELS),
    Stage("data_cards", MODELS, in_worker=False),
    Stage("reference_logprobs", MODELS),
    Stage("checkpoints", RECIPES),
    Stage("heldout_scores", ("lab/reference", "lab/sft")),
    Stage("experiment_reports", MODELS[:1], in_worker=False),
)
BY_ASSET = {stage.asset: stage for stage in STAGES}
GENERATED = ("initial_samples", "debug_trajectories")


SLOW = {"reference_logprobs", "checkpoints", "heldout_scores"}
"""Stages that load the model, which costs a hundred times what the others' own work does."""


class Fault(StrEnum):
    """What is done to a launch, or to what it left."""

    KILL_RUN = "run process killed"
    KILL_WORKER = "worker killed"
    DISK_FULL = "disk full"
    DELETED = "artifact deleted"
    TRUNCATED = "file truncated"
    FLIPPED = "byte flipped"
    TWO_RUNS = "two runs at once"


DAMAGING = (Fault.DELETED, Fault.TRUNCATED, Fault.FLIPPED)
KILLING = (Fault.KILL_RUN, Fault.KILL_WORKER)
TIMED = (*KILLING, Fault.TWO_RUNS)
"""Faults whose moment is drawn over the time that an undisturbed launch takes."""


class Form(StrEnum):
    """What is launched: one partition, or all that the stage has."""

    SINGLE = "single"
    RANGE = "range"


@dataclass(frozen=True)
class Injection:
    """What is injected; everything random about it is drawn with `seed`."""

    asset: str
    form: Form
    fault: Fault
    seed: int

    @property
    def name(self) -> str:
        """Names it, in logs and folders."""
        return f"{self.asset}-{self.form}-{self.fault.name.lower()}-{self.seed}"

    @classmethod
    def of(cls, asset: str, form: str, fault: str, seed: int) -> "Injection":
        """From what JSON holds of one."""
        return cls(asset, Form(form), Fault(fault), seed)

    @property
    def stage(self) -> Stage:
        """What is broken."""
        return BY_ASSET[self.asset]


def planned(rounds: int, slow_rounds: int, kills: int) -> list[Injection]:
    """Every fault of every stage in both forms, so many times: round by round, the slow ones last.

    Args:
        rounds: times of each fault that is no kill.
        slow_rounds: the same, of stages that load the model.
        kills: times of each kill, whose moment differs every time.
    """
    found: list[Injection] = []
    for stage in STAGES:
        others = slow_rounds if stage.asset in SLOW else rounds
        for form in Form if len(stage.partitions) > 1 else (Form.SINGLE,):
            for fault in Fault:
                if stage.in_worker or fault is not Fault.KILL_WORKER:
                    times = kills if fault in KILLING else others
                    found += [Injection(stage.asset, form, fault, seed) for seed in range(times)]
    random.Random(0).shuffle(found)
    return sorted(found, key=lambda each: (each.seed, each.asset in SLOW))


def short() -> list[Injection]:
    """One way of breaking each stage, and each way at least once; cheap ones of what is slow."""
    chosen = (
        ("heldout_problems", Form.SINGLE, Fault.DISK_FULL),
        ("lab_base_model", Form.SINGLE, Fault.FLIPPED),
        ("base_models", Form.RANGE, Fault.TRUNCATED),
        ("raw_seeds", Form.RANGE, Fault.KILL_RUN),
        ("seed_problems", Form.RANGE, Fault.TWO_RUNS),
        ("initial_samples", Form.RANGE, Fault.KILL_WORKER),
        ("debug_trajectories", Form.RANGE, Fault.KILL_RUN),
        ("codeflow_pairs", Form.RANGE, Fault.DISK_FULL),
        ("preference_pairs", Form.RANGE, Fault.KILL_WORKER),
        ("data_cards", Form.RANGE, Fault.DELETED),
        ("reference_logprobs", Form.SINGLE, Fault.KILL_WORKER),
        ("checkpoints", Form.SINGLE, Fault.FLIPPED),
        ("heldout_scores", Form.SINGLE, Fault.TRUNCATED),
        ("experiment_reports", Form.SINGLE, Fault.TWO_RUNS),
    )
    return [Injection(asset, form, fault, 0) for asset, form, fault in chosen]
