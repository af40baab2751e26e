"""Plain `transformers` generation in batches, for machines where vLLM cannot be installed.

Repeatability: each row of a batch draws from a generator of its own, seeded by its request, so the
draws never depend on the batch; its logits can, in the last bits, through padding and the batch's
shape. Same batches, same text; other batches, same text except where two tokens all but tie, or the
number drawn falls on the edge between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import without_bars_of_transformers


def describe(config: TransformersConfig, model: Path | str) -> str:
    """The engine's description."""
    version = package_version("transformers")
    return f"transformers {version}, {model_name(model)}, {config.dtype.value}"


@dataclass
class BegunAnswer:
    """An answer that is being generated.

    Attributes:
        request: what it answers.
        prompt: its tokens.
        limit: the most tokens that it may have.
        made: the tokens that it has.
        stopped: whether they end with one of the request's stops.
        random: where its random numbers stand.
    """

    request: Request
    prompt: list[int]
    limit: int
    made: list[int] = field(default_factory=list[int])
    stopped: bool = False
    random: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = torch.Generator().manual_seed(self.request.seed)

    @property
    def left(self) -> int:
        """Tokens that it may still get."""
        return self.limit - len(self.made)


_LENGTHS = ("max_position_embeddings", "max_seq_len", "seq_length")
"""What configurations call the longest context."""


class TransformersBackend:
    """A model that generates a batch a step.

    A batch ends where few of its answers go on: those go on in the next one, with others.
    """

    def __init__(self, config: TransformersConfig, model: Path | str) -> None:
        self._turns = Turns(model, trust_remote_code=config.trust_remote_code)
        without_bars_of_transformers()
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(model), dtype=config.dtype.value, trust_remote_code=config.trust_remote_code
        )
        self._model = loaded.to(config.device).eval()
        self._context = _context_length(self._model.config, self._turns, model)
        self._batch_size = config.batch_size
        self._queue: list[BegunAnswer] = []

    def add(self, request: Request) -> Completion | None:
        """Queue `request`, or answer that its prompt is too long."""
        ids = self._turns.encode(request.messages)
        room = self._context - len(ids)
        if room < 1:
            return without_answer(request, len(ids), FinishReason.PROMPT_TOO_LONG)
        self._queue.append(BegunAnswer(request, ids, min(request.sampling.max_tokens, room)))
        return None

    def step(self) -> list[Completion]:
        """Generate the next batch until few of its answers go on; those that ended."""
        batch, self._queue = self._queue[: self._batch_size], self._queue[self._batch_size :]
        ended: list[Completion] = []
        going_on: list[BegunAnswer] = []
        for answer, row in zip(batch, self._generate(batch), strict=True):
            answer.made += row[: answer.left]
            completion = self._completion(answer)
            if completion is None:
                going_on.append(answer)
            else:
                ended.append(completion)
        self._queue = going_on + self._queue
        return ended

    def has_work(self) -> bool:
        """Whether requests are queued."""
        return bool(self._queue)

    def close(self) -> None:
        """Drop the model."""
        del self._model

    def _generate(self, batch: list[BegunAnswer]) -> list[list[int]]:
        """What each answer gets, the tokens behind its end-of-turn token included."""
        rows = [answer.prompt + answer.made for answer in batch]
        width = max(map(len, rows))
        padding = [width - len(row) for row in rows]
        device = self._model.device
        pad = self._turns.pad_id
        tokens = [[pad] * missing + row for missing, row in zip(padding, rows, strict=True)]
        mask = [[0] * missing + [1] * (width - missing) for missing in padding]
        ends = RowEnds(width, batch, self._turns)
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=torch.tensor(mask, device=device),
                max_new_tokens=max(answer.left for answer in batch),
                do_sample=False,
                num_beams=1,
                repetition_penalty=1.0,
                eos_token_id=list(self._turns.stop_ids),
                pad_token_id=pad,
                logits_processor=LogitsProcessorList([SeededSampling(batch)]),
                stopping_criteria=StoppingCriteriaList([ends]),
            )
        made: list[list[int]] = output[:, width:].tolist()
        for row, length in ends.stopped.items():
            batch[row].stopped = True
            del made[row][length:]
        return made

    def _completion(self, answer: BegunAnswer) -> Completion | None:
        """The answer where it has ended."""
        made = answer.made
        ends = [place for place, token in enumerate(made) if token in self._turns.stop_ids]
        if not ends and not answer.stopped and answer.left:
            return None
        ids = made[: ends[0] + 1] if ends else made
        reason = FinishReason.STOP if ends or answer.stopped else FinishReason.LENGTH
        return self._turns.completion(answer.request, len(answer.prompt), ids, reason)


class SeededSampling(LogitsProcessor):
    """Makes greedy decoding draw each row from its own distribution with its own generator.

    A row's token is the one at which the running sum of its probabilities passes a uniform number:
    one number a row is drawn on the CPU, whatever the device, and all else is done for all rows at
    once.
    """

    def __init__(self, answers: list[BegunAnswer]) -> None:
        self._samplings = [answer.request.sampling for answer in answers]
        self._generators = [answer.random for answer in answers]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (batch, vocabulary) whose argmax is each row's next token."""
        drawn = [row for row, each in enumerate(self._samplings) if each.temperature > 0]
        if not drawn:
            return scores
        tokens = self._draw(drawn, input_ids, scores)
        rows = torch.tensor(drawn, device=scores.device)
        scores = scores.clone()
        scores[rows, tokens] = torch.inf
        return scores

    def _draw(self, rows: list[int], input_ids: Any, scores: Any) -> Any:
        """The next token of each of `rows`."""
        asked = [self._samplings[row] for row in rows]
        temperatures = torch.tensor([each.temperature for each in asked], device=scores.device)
        logits: Any = scores[torch.tensor(rows, device=scores.device)].float()
        logits /= temperatures[:, None]
        for place, (row, sampling) in enumerate(zip(rows, asked, strict=True)):
            if sampling.top_p < 1:
                kept = TopPLogitsWarper(sampling.top_p)
                logits[place] = kept(input_ids[row : row + 1], logits[place : place + 1])[0]
        uniform = [
            torch.rand((), generator=self._generators[row], dtype=torch.float64) for row in rows
        ]
        # In float64, so that the sums of many rows and of one agree wherever it matters.
        sums = logits.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
        wanted = torch.stack(uniform).to(scores.device)[:, None] * sums[:, -1:]
        tokens = torch.searchsorted(sums, wanted, right=True)[:, 0]
        return tokens.clamp(max=sums.shape[1] - 1)  # where the product is rounded to the sum


class RowEnds(StoppingCriteria):
    """Ends each row at its own limit or stop, and all where few go on.

    Few are a quarter: they are computed anew from their beginning, beside others.

    Attributes:
        stopped: of the rows that ended at a stop, how many new tokens they have.
    """

    def __init__(self, prompt_width: int, answers: Sequence[BegunAnswer], turns: Turns) -> None:
        self._width, self._answers, self._turns = prompt_width, answers, turns
        self._limits = torch.tensor([prompt_width + answer.left for answer in answers])
        self._stop_ids = torch.tensor(turns.stop_ids)
        self._ended = torch.zeros(len(answers), dtype=torch.bool)
        self._few = -(-len(answers) // 4) if len(answers) > 1 else 0
        stops = (stop for answer in answers for stop in answer.request.stops)
        self._longest = max((len(stop.encode()) for stop in stops), default=0)
        self.stopped: dict[int, int] = {}

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Which rows (batch,) have ended."""
        del scores, kwargs
        self._ended |= torch.isin(input_ids[:, -1].cpu(), self._stop_ids)
        new = input_ids.shape[1] - self._width
        for row in self._rows_at_stop(input_ids[:, -min(new, self._longest) :]):
            self._ended[row] = True
            self.stopped[row] = new
        self._ended |= input_ids.shape[1] >= self._limits
        go_on = int((~self._ended).sum())
        ended = self._ended | (go_on <= self._few)
        return ended.to(input_ids.device)

    def _rows_at_stop(self, latest: Any) -> list[int]:
        """The rows that go on whose `latest` new tokens, and those made before, say a stop.

        A stop has a token a byte at most, so only so many are read.
        """
        if not self._longest:
            return []
        tokens: list[list[int]] = latest.tolist()
        return [
            row
            for row, answer in enumerate(self._answers)
            if answer.request.stops
            and not self._ended[row]
            and self._says_a_stop(answer, (answer.made + tokens[row])[-self._longest :])
        ]

    def _says_a_stop(self, answer: BegunAnswer, tokens: list[int]) -> bool:
        text = self._turns.text(tokens)
        return any(stop in text for stop in answer.request.stops)


def _context_length(config: Any, turns: Turns, model: Path | str) -> int:
    """The longest sequence, tokens, that a model and its tokenizer name.

    Raises:
        InputError: where neither names one, as of a state-space model.
    """
    text = config.get_text_config()
    named = [getattr(text, name, None) for name in _LENGTHS]
    length = next((each for each in [*named, turns.max_length] if isinstance(each, int)), None)
    if length is None:
        raise InputError(
            "neither config.json nor the tokenizer names the longest context",
            file=model,
            field="kind",
            remedy="Use vllm with max_model_len, or set model_max_length in tokenizer_config.json",
        )
    return length
