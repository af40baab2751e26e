"""transformers.Trainer with checkpoints of our own: by time, sharded, as safetensors."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainingArguments

from iterpref_assets.core.training import workdir
from iterpref_assets.core.training.checkpoints import (
    CheckpointWriter,
    load_generators,
    read,
    save_generators,
)
from iterpref_assets.core.training.pending import Pending


class CheckpointedTrainer(Trainer):
    """Writes a checkpoint every `save_minutes`; DeepSpeed writes its own.

    A subclass sets `is_due` in every step, alike on all processes, from `wants_checkpoint` of the
    first one. It adds to `sums` what the next point of the curves tells of, which has been gathered
    since `logged_at`.
    """

    sums: Tensor
    logged_at: float

    def __init__(self, *, save_minutes: float, **options: Any) -> None:
        # A copy in the host's memory frees a GPU at once; on a CPU it would only double the memory.
        self.writer = CheckpointWriter(in_background=torch.cuda.is_available())
        self.save_minutes, self.saved_at = save_minutes, time.monotonic()
        self.is_due = False
        self.resumed_from: str | None = None
        super().__init__(**options)
        self.add_callback(_Checkpoints(self))

    def wants_checkpoint(self) -> bool:
        """Whether this process's clock says that it is time for a checkpoint."""
        return time.monotonic() - self.saved_at >= 60 * self.save_minutes

    def train(self, resume_from_checkpoint: Any = None, *arguments: Any, **options: Any) -> Any:
        """Train to the end, the last checkpoint's writing included."""
        self.saved_at, self.resumed_from = time.monotonic(), resume_from_checkpoint
        try:
            result: Any = super().train(resume_from_checkpoint, *arguments, **options)
        except Exception:
            # The process may end without waiting for threads, and a checkpoint be lost with it.
            with suppress(Exception):
                self.writer.wait()
            raise
        self.writer.wait()
        return result

    def take_up_pending(self) -> None:
        """Go on with what was gathered since the last point, as the checkpoint has it."""
        if self.resumed_from is None:
            return
        pending = Pending.read(Path(self.resumed_from))
        if pending is None:
            return
        self._globalstep_last_logged -= pending.steps
        self.logged_at -= pending.seconds
        if self.is_world_process_zero():
            # A point's loss is the mean over processes, its sums are added up over them.
            self._tr_loss += pending.loss * self.args.world_size
            self.sums += torch.tensor(pending.sums, dtype=self.sums.dtype, device=self.sums.device)

    def _save_pending(self, folder: Path) -> None:
        """Write what is gathered since the last point; all processes call it."""
        losses: Any = self._tr_loss
        gathered = torch.cat([losses.to(self.sums.dtype)[None], self.sums])
        reduced: Any = self.accelerator.reduce(gathered, "sum")
        if not self.is_world_process_zero():
            return
        loss, *sums = reduced.tolist()
        Pending(
            steps=self.state.global_step - self._globalstep_last_logged,
            loss=loss / self.args.world_size,
            sums=sums,
            seconds=time.perf_counter() - self.logged_at,
        ).write(folder)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # Once one is whole, all other folders are removed: the next one's must not be there yet.
        self.writer.wait()
        super()._save_checkpoint(model, trial)
        checkpoints = Path(cast(str, self.args.output_dir))
        folder = checkpoints / f"checkpoint-{self.state.global_step}"
        best = self.state.best_model_checkpoint
        self._save_pending(folder)

        def keep() -> None:
            workdir.keep_only(folder, None if best is None else Path(best))

        if self.is_deepspeed_enabled:
            torch.distributed.barrier()
            if self.is_world_process_zero():
                keep()
        else:
            self.writer.write(folder, cast(nn.Module, self.model), self._plain_optimizer(), keep)
        self.saved_at = time.monotonic()

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Make the checkpoint's folder: its weights are written with the optimizer's states."""
        if self.is_deepspeed_enabled:
            super().save_model(output_dir, _internal_call)
        else:
            Path(cast(str, output_dir)).mkdir(parents=True, exist_ok=True)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.is_deepspeed_enabled:
            super()._save_optimizer_and_scheduler(output_dir)

    def _save_rng_state(self, output_dir: str) -> None:
        save_generators(Path(output_dir))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            load_generators(Path(checkpoint))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Nothing: weights are read with the optimizer's states, once both are sharded."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self.is_deepspeed_enabled:
            super()._load_optimizer_and_scheduler(checkpoint)
        elif checkpoint is not None:
            read(Path(checkpoint), cast(nn.Module, self.model), self._plain_optimizer())
            # The rate follows from the step alone.
            scheduler: Any = self.lr_scheduler
            scheduler.last_epoch = self.state.global_step - 1
            with warnings.catch_warnings():
                # It takes this for a first step that the optimizer has not made; that made many.
                warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
                scheduler.step()

    def _load_best_model(self) -> None:
        self.writer.wait()
        if self.is_deepspeed_enabled:
            super()._load_best_model()
        else:
            best = Path(cast(str, self.state.best_model_checkpoint))
            read(best, cast(nn.Module, self.model))

    def _plain_optimizer(self) -> torch.optim.Optimizer:
        wrapped: Any = self.optimizer
        return wrapped.optimizer


class _Checkpoints(TrainerCallback):
    """Takes up what a resumed run had gathered, and asks for checkpoints that are due."""

    def __init__(self, trainer: CheckpointedTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any
    ) -> None:
        # Called when transformers has set its own running loss to 0.
        del args, state, control, kwargs
        self.trainer.take_up_pending()

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        del args, state, kwargs
        control.should_save |= self.trainer.is_due
