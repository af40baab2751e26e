"""How a chat template frames a model's answer: what it writes before the answer, and behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from iterpref_assets.core.prompts import Message, Role

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ANSWER = "<<-- the answer -->>"
_QUESTION = (Message(Role.USER, "?"),)


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """What stands around an answer in the texts that a model was trained on.

    Attributes:
        before: between the generation prompt and the answer: DeepSeek-Coder writes a line end,
            Qwen3 an empty `<think>` block.
        behind: between the answer and the token that ends the turn.
        end: the id of that token.
        follows_prompt: whether answers stand behind the generation prompt. Where it opens
            reasoning, as R1's does, those that hold none stand where the assistant's turn begins.
    """

    before: str
    behind: str
    end: int
    follows_prompt: bool = True


def answer_frame(tokenizer: PreTrainedTokenizerBase) -> AnswerFrame:
    """The frame of the tokenizer's chat template.

    Without a template, or where it ends turns by no control token, `eos_token` is the end.
    """
    default = cast("int", tokenizer.eos_token_id)
    if tokenizer.chat_template is None:
        return AnswerFrame("", "", default)
    before, found, after = _rendered(tokenizer, answered=True).partition(_ANSWER)
    if not found:
        return AnswerFrame("", "", default)
    prompt = _rendered(tokenizer, answered=False)
    follows = before.startswith(prompt)
    own = before[len(prompt) :] if follows else ""
    if own.endswith(" ") and _begins_with_a_blank(tokenizer):
        own = own[:-1]
    behind, end = _ended(after, tokenizer)
    return AnswerFrame(own, behind, default if end is None else end, follows)


def rendered_prompts(
    conversations: Sequence[Sequence[Message]],
    tokenizer: PreTrainedTokenizerBase,
    frame: AnswerFrame,
) -> list[str]:
    """Each conversation up to where an answer begins, as the chat template writes it."""
    if frame.follows_prompt:
        return [_render(tokenizer, turns, add_generation_prompt=True) for turns in conversations]
    answer = Message(Role.ASSISTANT, _ANSWER)
    return [_render(tokenizer, [*turns, answer]).partition(_ANSWER)[0] for turns in conversations]


def _rendered(tokenizer: PreTrainedTokenizerBase, *, answered: bool) -> str:
    if answered:
        return _render(tokenizer, (*_QUESTION, Message(Role.ASSISTANT, _ANSWER)))
    return _render(tokenizer, _QUESTION, add_generation_prompt=True)


def _render(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    *,
    add_generation_prompt: bool = False,
) -> str:
    turns = [{"role": each.role.value, "content": each.content} for each in messages]
    return str(
        tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt
        )
    )


def _begins_with_a_blank(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether it puts a blank before every text, as Llama's does: the template's is that one."""
    ids = tokenizer.encode("a", add_special_tokens=False)
    return str(tokenizer.convert_ids_to_tokens(ids[0])).startswith("\u2581")


def _ended(after: str, tokenizer: PreTrainedTokenizerBase) -> tuple[str, int | None]:
    """The text up to the first control token behind an answer, and that token's id."""
    control = {
        str(token): number
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and str(token) in after
    }
    if not control:
        return "", None
    first = min(control, key=lambda token: (after.index(token), -len(token)))
    return after[: after.index(first)], control[first]
