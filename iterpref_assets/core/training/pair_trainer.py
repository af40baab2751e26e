"""A trainer with the recipes' loss and exact batches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import AutocastKwargs
from torch import Tensor, nn
from transformers import TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.trainer_callback import PrinterCallback

from iterpref_assets.core.progress import Tracker
from iterpref_assets.core.training.batches import CURVE_GROUPS, collator, token_readings
from iterpref_assets.core.training.callbacks import EarlyStop, EpochOrder, LastPoint, Progress
from iterpref_assets.core.training.checkpointed import CheckpointedTrainer
from iterpref_assets.core.training.config import Attention, ImitationMean
from iterpref_assets.core.training.curves import SUMS, TIMED, Point, describe
from iterpref_assets.core.training.dataset import BatchOrder, PackedPairs
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.heldout import LOSS, MEASURED
from iterpref_assets.core.training.losses import batch_loss, measure
from iterpref_assets.core.training.micro_batches import (
    MICRO_BATCHES,
    SharedPairs,
    Shares,
    collate_share,
)
from iterpref_assets.core.training.policy import MODEL_INPUTS
from iterpref_assets.core.training.trackers import TrackerLinks


class PairTrainer(CheckpointedTrainer):
    """Trains the policy on packed pairs.

    A batch's loss is that of `batch_loss`, whatever micro-batches and processes it is split into.
    """

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        dataset: PackedPairs,
        *,
        attention: Attention,
        batch_size: int,
        max_tokens: int | None,
        imitation_mean: ImitationMean,
        on_point: Callable[[Point], None],
        heldout: PackedPairs | None = None,
        patience: int | None = None,
        save_minutes: float,
    ) -> None:
        collate = collator(attention)
        by_tokens = max_tokens is not None
        super().__init__(
            model=cast(Any, model),
            args=args,
            train_dataset=cast(Any, SharedPairs(dataset) if by_tokens else dataset),
            eval_dataset=cast(Any, heldout),
            data_collator=cast(Any, collate_share(collate) if by_tokens else collate),
            callbacks=[LastPoint()],
            save_minutes=save_minutes,
        )
        self.remove_callback(PrinterCallback)
        # What compute_loss returns is already divided by the whole batch; releases of transformers
        # differ in the name of the switch for that, and this one all of them read.
        self.model_accepts_loss_kwargs = True
        if args.gradient_checkpointing:
            # autocast would keep a bfloat16 copy of every weight until the forward pass ends,
            # although each is recomputed from the weight itself.
            cast(Any, self.accelerator).autocast_handler = AutocastKwargs(cache_enabled=False)
        self.recipe, self.batch_size, self.on_point = dataset.recipe, batch_size, on_point
        self.order = BatchOrder(
            dataset.lengths(),
            readings=len(dataset.readings),
            batch_size=batch_size,
            seed=args.seed,
            multiple=args.per_device_train_batch_size * args.world_size
            if args.world_size > 1 and not by_tokens
            else 1,
        )
        self.sampler: BatchOrder | Shares = self.order
        if max_tokens is not None:
            joined = attention is Attention.BLOCKS
            self.sampler = Shares(self.order, max_tokens, args.world_size, joined=joined)
        self.imitation_mean = imitation_mean
        self.heldout, self.collate = heldout, collate
        if patience is not None:
            self.add_callback(EarlyStop(patience))
        self.add_callback(EpochOrder(self.order))
        self.sums = self._no_sums()
        self.logged_at = time.perf_counter()

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        del train_dataset
        return self.sampler

    def get_batch_samples(
        self, epoch_iterator: Any, num_batches: int, device: torch.device
    ) -> tuple[list[Any], Any]:
        """The micro-batches of one step, and [3] what `batch_loss` divides by, on all processes.

        These are its pairs, its imitated tokens and how often tokens of y- count.
        """
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        parts = [part for sample in samples for part in sample.get(MICRO_BATCHES, [sample])]
        totals = torch.tensor(
            [
                sum(float(part["pairs"]) for part in parts),
                sum(float(part["imitated"].sum()) for part in parts),
                sum(float(part["rejected"].sum()) for part in parts),
                float(self.is_world_process_zero() and self.wants_checkpoint()),
            ],
            device=device,
        )
        totals = self.accelerator.reduce(totals, "sum")
        self.is_due = bool(totals[3])
        return samples, totals[:3]

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Tensor:
        """The loss of `inputs`, with its gradient added; of all its micro-batches, where it has."""
        if MICRO_BATCHES not in inputs:
            return super().training_step(model, inputs, num_items_in_batch)
        *before, last = inputs[MICRO_BATCHES]
        # Replicated gradients are reduced once a step, sharded ones after every micro-batch.
        replicated = not self.accelerator.is_fsdp2
        loss = torch.zeros((), device=self.args.device)
        for part in before:
            with self.accelerator.no_sync(model) if replicated else nullcontext():
                loss += super().training_step(model, part, num_items_in_batch)
        return loss + super().training_step(model, last, num_items_in_batch)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """This micro-batch's share of the batch's loss, times the number of processes.

        Gradients are averaged over processes, hence the factor.
        """
        del return_outputs
        logprobs = model(**{name: inputs[name] for name in MODEL_INPUTS})
        loss, sums = self._share(logprobs, inputs, num_items_in_batch.unbind())
        self.sums += sums
        return loss.to(logprobs.dtype) * self.accelerator.num_processes

    def _share(
        self, logprobs: Tensor, inputs: dict[str, Tensor], whole: Sequence[Any]
    ) -> tuple[Tensor, Tensor]:
        """What `inputs` bring to the loss over `whole`, as in get_batch_samples, and the curves."""
        of_pairs, of_imitated, of_rejected = whole
        read, rows = token_readings(inputs), int(inputs["pairs"])
        loss = batch_loss(
            logprobs,
            read,
            pairs=rows,
            beta=self.recipe.beta,
            alpha=self.recipe.alpha,
            gamma=self.recipe.gamma,
            imitation_mean=self.imitation_mean,
            of_pairs=of_pairs,
            of_imitated=of_imitated,
            of_rejected=of_rejected,
        )
        groups = [inputs[name] for name in CURVE_GROUPS]
        return loss, measure(logprobs.detach(), read, groups, rows, self.recipe.beta)

    def evaluate(self, *_arguments: Any, **_options: Any) -> dict[str, float]:
        """The figures of the held-out pairs, which are one batch however they are passed."""
        if self.heldout is None:
            raise ValueError("no held-out pairs were given")
        model: Any = self.model_wrapped
        model.eval()
        loss, sums = torch.zeros_like(self.sums[0]), self._no_sums()
        with torch.no_grad():
            for batch in self._heldout_batches(self.heldout):
                share, measured = self._measure(model, batch)
                loss, sums = loss + share, sums + measured
        model.train()
        reduced: Any = self.accelerator.reduce(torch.cat([loss[None], sums]), "sum")
        total, *figures = reduced.tolist()
        told = {"loss": total, **describe(figures, seconds=1.0)}
        metrics = {f"{MEASURED}{name}": told[name] for name in told if name != TIMED}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _heldout_batches(self, heldout: PackedPairs) -> Iterator[dict[str, Tensor]]:
        """This process's share, rows of like length together; each process has as many batches."""
        pairs, size = len(heldout.pairs), self.args.per_device_eval_batch_size
        rows = np.arange(pairs) + pairs * (np.arange(pairs) % len(heldout.readings))
        order = rows[np.argsort(heldout.lengths()[rows], kind="stable")].tolist()
        world, rank = self.args.world_size, self.args.process_index
        for start in range(0, pairs, size * world):
            mine = order[start + rank * size : start + (rank + 1) * size]
            batch: Any = cast(Any, self.collate)([heldout[row] for row in mine] or [None])
            yield {name: value.to(self.args.device) for name, value in batch.items()}

    def _measure(self, model: Any, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """A batch's share of the loss over all held-out pairs, and its sums for the curves."""
        with self.compute_loss_context_manager():
            logprobs = model(**{name: batch[name] for name in MODEL_INPUTS})
        heldout = cast(PackedPairs, self.heldout)
        whole = len(heldout.pairs), heldout.imitated_tokens, heldout.rejected_tokens
        loss, sums = self._share(logprobs, batch, [float(count) for count in whole])
        return loss.double(), sums

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        norm: Any = super()._clip_grad_norm(model)
        if not math.isfinite(float(norm)):
            raise TrainingError(
                f"the loss or its gradient is not finite at step {self.state.global_step + 1}",
                remedy="Lower the learning rate, or use precision float32, and start over; the "
                "last checkpoint is kept",
            )
        return norm

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the curves' figures to `logs` and hand the point on."""
        if "loss" in logs:
            sums: Any = self.accelerator.reduce(self.sums, "sum")
            seconds = time.perf_counter() - self.logged_at
            logs.update(describe(sums.tolist(), seconds=seconds))
            self.sums = self._no_sums()
        elif LOSS not in logs:
            return
        # Measuring on held-out pairs is no training: the next point's speed leaves it out.
        self.logged_at = time.perf_counter()
        super().log(logs, start_time)
        if self.is_world_process_zero():
            self.on_point(self.state.log_history[-1])

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.order.batches * int(self.args.num_train_epochs)

    def show_on(self, tracker: Tracker) -> None:
        """Show every optimizer step on `tracker`."""
        self.add_callback(Progress(tracker))

    def report_as(self, name: str) -> TrackerLinks:
        """Call the run by this name at trackers; where it is kept there, once it has begun."""
        self.args.run_name = name
        links = TrackerLinks()
        self.add_callback(links)
        return links

    def write_events(self, folder: Path) -> None:
        """Write the curves to `folder` as TensorBoard events too."""
        from torch.utils.tensorboard import SummaryWriter

        self.add_callback(TensorBoardCallback(SummaryWriter(folder)))

    def _no_sums(self) -> Tensor:
        return torch.zeros(len(SUMS), dtype=torch.float64, device=self.args.device)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: the estimate would walk all parameters for every micro-batch."""
        del inputs
        return 0
