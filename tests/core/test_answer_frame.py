"""What chat templates write around an answer, of models as they are published."""

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from iterpref_assets.core.answer_frame import AnswerFrame, answer_frame, rendered_prompts
from iterpref_assets.core.prompts import problem_conversation

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|EOT|>", "<|end|>", "</s>", "<|A|>"]
EACH = "{% for m in messages %}"
QWEN = (
    EACH + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN3 = QWEN.replace(
    "{{ m.content }}",
    "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}",
)
DEEPSEEK = (
    EACH + "{% if m.role == 'user' %}### Instruction:\n{{ m.content }}\n"
    "{% else %}### Response:\n{{ m.content }}\n<|EOT|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}### Response:{% endif %}"
)
PHI3 = (
    EACH + "<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}<|endoftext|>{% endif %}"
)
LLAMA2 = (
    EACH + "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }} </s>{% endif %}{% endfor %}"
)
R1 = (
    EACH + "{% if m.role == 'user' %}{{ m.content }}{% else %}<|A|>{{ m.content }}</s>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|A|><think>\n{% endif %}"
)
WITHOUT_END = EACH + "{{ m.content }}\n{% endfor %}"
WITHOUT_ANSWER = EACH + "{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"


def tokenizer(template: str | None, *, blank: bool = False) -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    if blank:
        backend = Tokenizer(models.BPE(vocab={"\u2581": 0, "a": 1, "\u2581a": 2}, merges=[]))
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(each, special=True) for each in CONTROL])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|endoftext|>", chat_template=template
    )


@pytest.mark.parametrize(
    ("template", "before", "behind", "end"),
    [
        (None, "", "", "<|endoftext|>"),
        (QWEN, "", "", "<|im_end|>"),
        (QWEN3, "<think>\n\n</think>\n\n", "", "<|im_end|>"),
        (DEEPSEEK, "\n", "\n", "<|EOT|>"),
        (PHI3, "", "", "<|end|>"),
        (LLAMA2, " ", " ", "</s>"),
        (WITHOUT_END, "", "", "<|endoftext|>"),
        (WITHOUT_ANSWER, "", "", "<|endoftext|>"),
    ],
)
def test_the_frame_is_what_the_template_writes(
    template: str | None, before: str, behind: str, end: str
) -> None:
    loaded = tokenizer(template)
    assert answer_frame(loaded) == AnswerFrame(before, behind, loaded.convert_tokens_to_ids(end))


def test_a_blank_that_the_tokenizer_writes_itself_is_not_written_twice() -> None:
    assert answer_frame(tokenizer(LLAMA2, blank=True)).before == ""


@pytest.mark.parametrize("template", [QWEN, QWEN3, DEEPSEEK, PHI3, LLAMA2, R1])
def test_prompt_frame_and_answer_are_the_template_s_own_text(template: str) -> None:
    loaded = tokenizer(template)
    frame = answer_frame(loaded)
    (prompt,) = rendered_prompts([problem_conversation("Do p.")], loaded, frame)
    turns = [{"role": "user", "content": "Do p."}, {"role": "assistant", "content": "x"}]
    whole = loaded.apply_chat_template(turns, tokenize=False)
    ours = prompt + frame.before + "x" + frame.behind + loaded.convert_ids_to_tokens(frame.end)
    assert whole.startswith(ours)


def test_an_answer_without_reasoning_does_not_follow_a_prompt_that_opens_it() -> None:
    loaded = tokenizer(R1)
    frame = answer_frame(loaded)
    assert not frame.follows_prompt
    assert rendered_prompts([problem_conversation("p")], loaded, frame) == ["p<|A|>"]
