"""Plain `transformers` generation in batches, for machines where vLLM cannot be installed.

Repeatability: each row of a batch draws from a generator of its own, seeded by its request, so the
draws never depend on the batch; its logits can, in the last bits, through padding and the batch's
shape. Same batches, same text; other batches, same text except where two tokens all but tie.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TopPLogitsWarper,
)

from iterpref_assets.core.engines.checkpoint import (
    Turns,
    model_name,
    package_version,
    without_answer,
)
from iterpref_assets.core.engines.config import TransformersConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request


def describe(config: TransformersConfig, model: Path | str) -> str:
    """The engine's description."""
    version = package_version("transformers")
    return f"transformers {version}, {model_name(model)}, {config.dtype.value}"


class TransformersBackend:
    """A model that generates one whole batch a step."""

    def __init__(self, config: TransformersConfig, model: Path | str) -> None:
        self._turns = Turns(model, trust_remote_code=config.trust_remote_code)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(model), dtype=config.dtype.value, trust_remote_code=config.trust_remote_code
        )
        self._model = loaded.to(config.device).eval()
        self._context = int(self._model.config.max_position_embeddings)
        self._batch_size = config.batch_size
        self._queue: list[tuple[Request, list[int]]] = []

    def add(self, request: Request) -> Completion | None:
        """Queue `request`, or answer that its prompt is too long."""
        ids = self._turns.encode(request.messages)
        if len(ids) >= self._context:
            return without_answer(request, len(ids), FinishReason.PROMPT_TOO_LONG)
        self._queue.append((request, ids))
        return None

    def step(self) -> list[Completion]:
        """Generate the next batch to its end."""
        batch, self._queue = self._queue[: self._batch_size], self._queue[self._batch_size :]
        limits = [min(r.sampling.max_tokens, self._context - len(ids)) for r, ids in batch]
        rows = self._generate(batch, limits)
        return [
            self._completion(request, len(ids), row[:limit])
            for (request, ids), row, limit in zip(batch, rows, limits, strict=True)
        ]

    def has_work(self) -> bool:
        """Whether requests are queued."""
        return bool(self._queue)

    def close(self) -> None:
        """Drop the model."""
        del self._model

    def _generate(self, batch: list[tuple[Request, list[int]]], limits: list[int]) -> Any:
        width = max(len(ids) for _, ids in batch)
        padding = [width - len(ids) for _, ids in batch]
        device = self._model.device
        pad = self._turns.pad_id
        tokens = [[pad] * missing + ids for missing, (_, ids) in zip(padding, batch, strict=True)]
        mask = [[0] * missing + [1] * (width - missing) for missing in padding]
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=torch.tensor(mask, device=device),
                max_new_tokens=max(limits),
                do_sample=False,
                num_beams=1,
                repetition_penalty=1.0,
                eos_token_id=list(self._turns.stop_ids),
                pad_token_id=pad,
                logits_processor=LogitsProcessorList([SeededSampling([r for r, _ in batch])]),
                stopping_criteria=StoppingCriteriaList([RowLimits(width, limits)]),
            )
        return output[:, width:].tolist()

    def _completion(self, request: Request, prompt_tokens: int, row: list[int]) -> Completion:
        ends = [place for place, token in enumerate(row) if token in self._turns.stop_ids]
        ids = row[: ends[0] + 1] if ends else row
        reason = FinishReason.STOP if ends else FinishReason.LENGTH
        return self._turns.completion(request, prompt_tokens, ids, reason)


class SeededSampling(LogitsProcessor):
    """Makes greedy decoding draw each row from its own distribution with its own generator.

    The largest of logits / temperature + Gumbel noise is a draw from their softmax (Gumbel-max),
    so adding the noise before the argmax samples, row by row.
    """

    def __init__(self, requests: list[Request]) -> None:
        self._samplings = [request.sampling for request in requests]
        self._generators = [torch.Generator().manual_seed(r.seed) for r in requests]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (batch, vocabulary) whose argmax is each row's next token."""
        rows = [self._noisy(row, input_ids, scores) for row in range(scores.shape[0])]
        return torch.stack(rows)

    def _noisy(self, row: int, input_ids: Any, scores: Any) -> Any:
        sampling = self._samplings[row]
        logits: Any = scores[row].float()
        if sampling.temperature == 0:
            return logits
        logits = logits / sampling.temperature
        if sampling.top_p < 1:
            logits = TopPLogitsWarper(sampling.top_p)(input_ids[row : row + 1], logits[None])[0]
        # -log of an exponential variable is Gumbel noise; drawn on the CPU on every device.
        noise = torch.empty(logits.shape).exponential_(generator=self._generators[row])
        return logits - noise.log().to(logits.device)


class RowLimits(StoppingCriteria):
    """Ends each row after its own number of new tokens."""

    def __init__(self, prompt_width: int, limits: list[int]) -> None:
        self._ends = torch.tensor([prompt_width + limit for limit in limits])

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Which rows (batch,) have ended."""
        del scores, kwargs
        return (input_ids.shape[1] >= self._ends).to(input_ids.device)
