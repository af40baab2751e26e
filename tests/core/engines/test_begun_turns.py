import shutil
from dataclasses import replace

from engine_doubles import make_request

from iterpref_assets.core.engines.checkpoint import Turns
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.prompts import Message, Role


class TrimmingTokenizer:
    """A template that strips every turn, as many do; characters are tokens."""

    chat_template = "trimmed"

    def apply_chat_template(self, turns, *, add_generation_prompt, tokenize):
        text = "".join(f"<{turn['role']}>{turn['content'].strip()}<end>" for turn in turns)
        return text + ("<assistant>" if add_generation_prompt else "")

    def encode(self, text, *, add_special_tokens=True):
        return [ord(character) for character in text]


def rendered(*messages: Message) -> str:
    turns = Turns.__new__(Turns)
    turns._tokenizer = TrimmingTokenizer()
    return "".join(map(chr, turns.encode(messages)))


def test_the_model_starts_its_own_turn():
    assert rendered(Message(Role.USER, "Hi")) == "<user>Hi<end><assistant>"


def test_a_begun_turn_is_left_open_with_the_blanks_at_its_end():
    begun = Message(Role.ASSISTANT, "Here:\n```python\n")
    assert rendered(Message(Role.USER, "Hi"), begun) == (
        "<user>Hi<end><assistant>Here:\n```python\n"
    )


def test_an_earlier_turn_of_the_assistant_is_closed():
    turns = Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "Yes"), Message(Role.USER, "Go")
    assert rendered(*turns) == "<user>Hi<end><assistant>Yes<end><user>Go<end><assistant>"


def test_without_a_chat_template_the_whole_conversation_is_text():
    turns = Turns.__new__(Turns)
    turns._tokenizer = TrimmingTokenizer()
    turns._tokenizer.chat_template = None
    messages = (
        Message(Role.USER, "Give 1.\n"),
        Message(Role.ASSISTANT, "def f(): return 2"),
        Message(Role.USER, "It gave 2.\n"),
    )
    text = "".join(map(chr, turns.encode(messages)))
    assert text == "Give 1.\n\ndef f(): return 2\n\nIt gave 2.\n"


def test_without_a_chat_template_a_lone_turn_is_left_as_it_is():
    turns = Turns.__new__(Turns)
    turns._tokenizer = TrimmingTokenizer()
    turns._tokenizer.chat_template = None
    assert "".join(map(chr, turns.encode((Message(Role.USER, "Hi\n"),)))) == "Hi\n"


def test_an_answer_begins_with_the_reasoning_that_the_prompt_opened(tiny_checkpoint, tmp_path):
    """Else a draft within reasoning that was cut off would count as the answer."""
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "model")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if add_generation_prompt %}<think>{% endif %}")
    turns = Turns(folder, trust_remote_code=False)
    request = make_request("p", "Hi")
    said = turns.completion(request, 3, [70, 71], FinishReason.LENGTH).text
    assert said == "<think>" + turns.text([70, 71])
    begun = (Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "def"))
    request = replace(request, messages=begun)
    said = turns.completion(request, 3, [70, 71], FinishReason.LENGTH).text
    assert said == turns.text([70, 71])


def test_turns_end_at_the_token_of_the_template_too(tiny_checkpoint, tmp_path):
    """A base model may have a template that ends turns by another token than its texts."""
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "model")
    own = Turns(folder, trust_remote_code=False).stop_ids
    template = folder / "chat_template.jinja"
    template.write_text("{% for m in messages %}<|user|>{{ m.content }}<|assistant|>{% endfor %}")
    ends = Turns(folder, trust_remote_code=False).stop_ids
    assert (own, ends) == ((0,), (0, 2))
