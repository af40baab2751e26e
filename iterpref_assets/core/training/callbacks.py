"""What happens between the steps of a training run."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from iterpref_assets.core.progress import Tracker
from iterpref_assets.core.training.dataset import BatchOrder
from iterpref_assets.core.training.heldout import stopped_at


class EpochOrder(TrainerCallback):
    """Tells the sampler its epoch, which accelerate does not where processes resume within one."""

    def __init__(self, order: BatchOrder) -> None:
        self.order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any
    ) -> None:
        """Follow from the steps that are done."""
        del args, control, kwargs
        self.order.set_epoch(state.global_step // self.order.batches)


class LastPoint(TrainerCallback):
    """Gives the last step its points, wherever `logging_steps` would put the last one."""

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Log and measure behind the last one."""
        del kwargs
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_evaluate = args.eval_strategy != IntervalStrategy.NO


class EarlyStop(TrainerCallback):
    """Ends the run where held-out pairs show no gain for long; told by the curves alone."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_evaluate(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at what was just measured."""
        del args, kwargs
        self._stop(state, control)

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Of a run that was killed after it had stopped: this step is one too many."""
        del args, kwargs
        if self._stop(state, control):
            control.should_log = control.should_evaluate = control.should_save = False

    def _stop(self, state: Any, control: Any) -> bool:
        stop = stopped_at(state.log_history, self.patience) is not None
        control.should_training_stop |= stop
        return stop


_SHOWN = ("loss", "reward_accuracy")


class Progress(TrainerCallback):
    """Shows the steps done, those before a resume included, beside the last point of the curves."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker

    def on_train_begin(
        self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any
    ) -> None:
        """Begin at the steps that are done."""
        del args, control, kwargs
        self.tracker.resume(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Show one more."""
        del args, control, kwargs
        last = next((each for each in reversed(state.log_history) if "loss" in each), {})
        shown = {name: last[name] for name in _SHOWN if name in last}
        self.tracker.advance(state.global_step - self.tracker.done, **shown)
