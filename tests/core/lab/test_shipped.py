import math
import subprocess
import sys

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from iterpref_assets.core.lab import pretraining
from iterpref_assets.core.lab.corpus import Lesson
from iterpref_assets.core.lab.pretraining import PretrainConfig
from iterpref_assets.core.lab.shipped import PROVENANCE_FILE, Provenance, pretrained_dir
from iterpref_assets.core.lab.tokenizer import PAD, TURN_END, TURN_START
from iterpref_assets.core.prompts import fenced, problem_conversation

TEXTS = (
    "The list items holds integers. Keep those greater than 42.",
    fenced("def f(x: int) -> int:\n    return x * 2"),
    "  odd   spaces\n\n\ttabs, ünïcödé, 12345 and it's <|im_end|>\n",
)


def read_provenance() -> Provenance:
    return Provenance.model_validate_json((pretrained_dir() / PROVENANCE_FILE).read_bytes())


@pytest.fixture(scope="module")
def trained_tokenizer():
    return pretraining.lab_tokenizer(PretrainConfig(vocab_size=400))


def test_a_saved_tokenizer_gives_the_same_ids_after_loading(trained_tokenizer, tmp_path):
    model = pretraining.build_model(PretrainConfig(vocab_size=400), trained_tokenizer)
    model.save_pretrained(tmp_path)
    trained_tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert loaded(text).input_ids == trained_tokenizer(text).input_ids


def test_text_comes_back_from_its_ids(trained_tokenizer):
    for text in TEXTS:
        assert trained_tokenizer.decode(trained_tokenizer(text).input_ids) == text


def test_control_tokens_are_one_token_each(trained_tokenizer):
    ids = [trained_tokenizer(token).input_ids for token in (PAD, TURN_START, TURN_END)]
    assert ids == [[0], [1], [2]]


def test_an_answer_starts_where_the_generation_prompt_ends(trained_tokenizer):
    lesson = Lesson(problem_conversation("Do it."), "def f():\n    return 1")
    encoded = pretraining.encode_lesson(trained_tokenizer, lesson)
    answer = trained_tokenizer.decode(encoded.ids[encoded.answer_start :])
    assert answer == "```python\ndef f():\n    return 1\n```<|im_end|>"
    whole = trained_tokenizer.decode(encoded.ids)
    assert trained_tokenizer(whole).input_ids == list(encoded.ids)


def test_the_loss_of_an_untrained_model_is_that_of_a_uniform_guess(trained_tokenizer):
    config = PretrainConfig(vocab_size=400)
    model = pretraining.build_model(config, trained_tokenizer)
    lesson = Lesson(problem_conversation("Do it."), "def f():\n    return 1")
    batch = [pretraining.encode_lesson(trained_tokenizer, lesson)] * 2
    _, loss = pretraining.lesson_loss(model, batch, prompt_weight=0.0)
    assert loss == pytest.approx(math.log(len(trained_tokenizer)), rel=0.1)


def test_padding_changes_no_loss(trained_tokenizer):
    model = pretraining.build_model(PretrainConfig(vocab_size=400), trained_tokenizer)
    codes = ("def f():\n    return 1", "def f():\n    total = 1\n    return total + 2")
    short, long = (
        pretraining.encode_lesson(trained_tokenizer, Lesson(problem_conversation("Do it."), code))
        for code in codes
    )
    together = pretraining.lesson_loss(model, [short, long], prompt_weight=0.0)[1]
    alone = [pretraining.lesson_loss(model, [one], prompt_weight=0.0)[1] for one in (short, long)]
    sizes = [len(one.ids) - one.answer_start for one in (short, long)]
    expected = sum(a * n for a, n in zip(alone, sizes, strict=True)) / sum(sizes)
    assert together == pytest.approx(expected, rel=0.01)


def test_steps_at_which_nothing_is_learned_are_refused():
    assert PretrainConfig(steps=600, decay_steps=600).steps == 600
    with pytest.raises(ValueError, match="601 steps, but the learning rate is 0 after 600"):
        PretrainConfig(steps=601, decay_steps=600)


def test_the_shipped_model_is_that_of_the_default_configuration():
    assert read_provenance().config == PretrainConfig()


def test_the_shipped_model_has_the_strength_it_was_trained_for():
    assert 0.4 <= read_provenance().heldout_pass_at_1 <= 0.6


def test_the_shipped_weights_load_and_have_the_recorded_size():
    model = AutoModelForCausalLM.from_pretrained(pretrained_dir())
    assert model.num_parameters() == read_provenance().parameters


def test_the_shipped_model_fits_in_the_repository():
    assert sum(path.stat().st_size for path in pretrained_dir().iterdir()) < 8_000_000
    assert (pretrained_dir() / PROVENANCE_FILE).is_file()


def test_the_shipped_tokenizer_is_the_one_of_its_configuration():
    provenance = read_provenance()
    shipped = AutoTokenizer.from_pretrained(pretrained_dir())
    assert shipped.get_vocab() == pretraining.lab_tokenizer(provenance.config).get_vocab()


def test_finding_the_shipped_model_imports_no_torch():
    code = (
        "import sys; import iterpref_assets.core.lab.shipped, iterpref_assets.core.lab.problems; "
        "print('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.slow
def test_a_short_retraining_follows_the_committed_loss_curve():
    provenance = read_provenance()
    steps = 20
    losses = pretraining.pretrain(provenance.config, stop_after=steps).losses
    assert losses == pytest.approx(provenance.losses[:steps], rel=0.1, abs=0.05)
