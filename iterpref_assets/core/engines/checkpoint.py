"""What the engines that load a checkpoint share: its name, its turns as tokens and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iterpref_assets.core.answer_frame import answer_frame
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.reasoning import opened_by

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def model_name(model: Path | str) -> str:
    """A checkpoint's name without the folders that lead to it, or the hub name as it is."""
    return Path(model).name if Path(model).exists() else str(model)


def package_version(*names: str) -> str:
    """The version of the first of these packages that is installed.

    Raises:
        InputError: where none is.
    """
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise InputError(
        f"{names[0]} is not installed",
        field="kind",
        remedy=f"Install {' or '.join(names)}, or choose another engine",
    )


def require_checkpoint(model: Path | str) -> None:
    """Refuse a local path that holds no checkpoint.

    Raises:
        InputError: where `model` is a Path, or text that can only be one, without a config.json.
    """
    is_path = isinstance(model, Path) or model.startswith((".", "/")) or Path(model).exists()
    if is_path and not (Path(model) / "config.json").is_file():
        raise InputError(
            "no checkpoint here (config.json is missing)",
            file=model,
            remedy="Give a folder written by save_pretrained, or a hub name",
        )


def has_chat_template(model: Path) -> bool:
    """Whether the tokenizer in a checkpoint's folder can render a chat, without loading it."""
    if any(model.glob("*chat_template*")):
        return True
    config = model / "tokenizer_config.json"
    return config.is_file() and bool(json.loads(config.read_bytes()).get("chat_template"))


_NO_LENGTH = 10**9
"""Tokenizers that name no longest sequence give a length beyond this."""
_HERE = "<<-- the model goes on here -->>"
"""Marks the end of a begun turn while it is rendered: templates strip blanks off its end."""


class Turns:
    """A checkpoint's tokenizer: conversations to token ids, generated ids to text.

    The chat template renders the conversation where the tokenizer has one; a tokenizer without
    gets the whole of it as text (`as_text`).
    """

    def __init__(self, model: Path | str, *, trust_remote_code: bool) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(model), trust_remote_code=trust_remote_code
        )
        self._stop_ids = _stop_ids(self._tokenizer, model)
        self._opened = ""
        if self._tokenizer.chat_template:
            self._opened = opened_by(self._render([Message(Role.USER, "?")]))

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """The tokens that end the model's turn, ascending."""
        return self._stop_ids

    @property
    def pad_id(self) -> int:
        """The token that fills rows of a batch up; it is masked wherever it stands."""
        pad: Any = self._tokenizer.pad_token_id
        return int(pad) if pad is not None else self._stop_ids[0]

    @property
    def max_length(self) -> int | None:
        """The longest sequence that the tokenizer names, tokens; None where it names none."""
        length: Any = self._tokenizer.model_max_length
        return int(length) if length < _NO_LENGTH else None

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """The token ids after which the model goes on: at the start of its turn, or within it.

        A last message of the assistant is a turn begun for the model, which it continues; bare text
        is continued as it is, whether or not the tokenizer has a chat template.
        """
        if messages[0].role is Role.TEXT:
            return list(self._tokenizer.encode(messages[0].content))
        if self._tokenizer.chat_template:
            text = self._render(messages)
            return list(self._tokenizer.encode(text, add_special_tokens=False))
        return list(self._tokenizer.encode(as_text(messages)))

    def _render(self, messages: Sequence[Message]) -> str:
        turns = [{"role": m.role.value, "content": m.content} for m in messages]
        begun = messages[-1].role is Role.ASSISTANT
        if begun:
            turns[-1]["content"] += _HERE
        text = self._tokenizer.apply_chat_template(
            turns, add_generation_prompt=not begun, tokenize=False
        )
        return str(text).partition(_HERE)[0] if begun else str(text)

    def text(self, ids: Sequence[int]) -> str:
        """What generated tokens say, special ones left out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def completion(
        self, request: Request, prompt_tokens: int, ids: Sequence[int], reason: FinishReason
    ) -> Completion:
        """The completion whose generated tokens are `ids`, its end-of-turn token counted.

        Its text begins with the tag of the reasoning that the prompt opened, if it did.
        """
        opened = self._opened if request.messages[-1].role is Role.USER else ""
        return Completion(
            key=request.key,
            text=opened + self.text(ids),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(ids),
            finish_reason=reason,
            seed=request.seed,
        )


def as_text(messages: Sequence[Message]) -> str:
    """A conversation for a model that knows no chat: its turns one after the other.

    A turn begun for the model comes last, and the model continues it.
    """
    *before, last = (message.content for message in messages)
    return "\n\n".join([*(content.strip("\n") for content in before), last])


def without_answer(
    request: Request, prompt_tokens: int | None, reason: FinishReason, detail: str = ""
) -> Completion:
    """The outcome of a request that could not be answered, as an empty completion."""
    return Completion(
        key=request.key,
        text="",
        prompt_tokens=prompt_tokens,
        completion_tokens=0,
        finish_reason=reason,
        seed=request.seed,
        detail=detail,
    )


def _stop_ids(tokenizer: PreTrainedTokenizerBase, model: Path | str) -> tuple[int, ...]:
    from transformers import GenerationConfig

    try:
        listed: Any = GenerationConfig.from_pretrained(str(model)).eos_token_id
    except OSError:  # a checkpoint need not have a generation_config.json
        listed = None
    own: Any = tokenizer.eos_token_id
    ids = {listed} if isinstance(listed, int) else set[int](listed or ())
    if own is not None:
        # The template may end turns by another token, as that of a base model does.
        ids |= {own, answer_frame(tokenizer).end}
    if not ids:
        raise InputError(
            "the tokenizer names no end-of-turn token",
            file=model,
            field="eos_token",
            remedy="Set eos_token in tokenizer_config.json",
        )
    return tuple(sorted(ids))
