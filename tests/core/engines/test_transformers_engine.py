import math
import shutil
from collections import Counter
from pathlib import Path

import pytest
from engine_doubles import generate_all, make_request

from iterpref_assets.core.engines.config import Dtype, TransformersConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import FinishReason, Sampling
from iterpref_assets.core.errors import InputError

pytestmark = pytest.mark.slow
CONFIG = TransformersConfig(dtype=Dtype.FLOAT32)


def test_a_seed_gives_the_same_text_alone_and_among_others(tiny_checkpoint: Path) -> None:
    alone = make_request("alone", "Return the sum.", seed=7)
    others = [make_request(f"k{n}", "Give a longer prompt " * n, seed=n) for n in range(8)]
    again = make_request("again", "Return the sum.", seed=7)
    [[first], many] = generate_all(
        open_engine(CONFIG, tiny_checkpoint), [alone], [*others[:4], again, *others[4:]]
    )
    assert many[4].text == first.text


def test_another_seed_gives_another_text(tiny_checkpoint: Path) -> None:
    requests = [make_request("a", seed=1), make_request("b", seed=2)]
    [[one, two]] = generate_all(open_engine(CONFIG, tiny_checkpoint), requests)
    assert one.text != two.text


def test_each_row_ends_at_its_own_limit(tiny_checkpoint: Path) -> None:
    requests = [
        make_request(f"k{limit}", seed=limit, sampling=Sampling(1.0, 1.0, limit))
        for limit in (1, 5, 9)
    ]
    [answers] = generate_all(open_engine(CONFIG, tiny_checkpoint), requests)
    ended = [a for a in answers if a.finish_reason is FinishReason.LENGTH]
    assert [a.completion_tokens for a in ended] == [int(a.key[1:]) for a in ended]
    assert len(ended) >= 2


def step_by_step(model: Path, limits: list[int], batch_size: int) -> list[dict[str, str]]:
    """The texts that each step of a backend gives, by name."""
    pytest.importorskip("torch")
    from iterpref_assets.core.engines.transformers_backend import TransformersBackend

    config = TransformersConfig(dtype=Dtype.FLOAT32, batch_size=batch_size)
    backend = TransformersBackend(config, model)
    # At this temperature hardly a row of this model ends by itself.
    for number, limit in enumerate(limits):
        sampling = Sampling(0.5, 1.0, limit)
        assert backend.add(make_request(f"k{number}", seed=number, sampling=sampling)) is None
    steps = []
    while backend.has_work():
        steps.append({each.key: each.text for each in backend.step()})
    return steps


VARIED = Sampling(1.0, 1.0, 40)
"""Greedily this model says one letter over and over: a stop would be found anywhere."""


def varied(model: Path) -> str:
    """What the model says to seed 1 without a stop."""
    request = make_request("whole", seed=1, sampling=VARIED)
    [[answer]] = generate_all(open_engine(CONFIG, model), [request])
    return answer.text


def test_an_answer_ends_with_the_token_that_completes_a_stop(tiny_checkpoint: Path) -> None:
    """Beside one without a stop, which goes on in another batch."""
    text = varied(tiny_checkpoint)
    stop = text[20:24]
    requests = [
        make_request(f"k{n}", seed=1, sampling=VARIED, stops=(stop, "\0")) for n in range(3)
    ]
    whole = make_request("whole", seed=1, sampling=VARIED)
    [[*ended, other]] = generate_all(open_engine(CONFIG, tiny_checkpoint), [*requests, whole])
    assert other.text == text
    for each in ended:
        assert text.startswith(each.text)
        assert each.text.find(stop) == text.find(stop) == 20
        assert stop not in each.text[:-1]
        assert each.finish_reason is FinishReason.STOP


def test_a_stop_may_begin_in_an_earlier_batch(tiny_checkpoint: Path) -> None:
    """The third token is the last of a batch, since four of five rows end there."""
    text = varied(tiny_checkpoint)
    short = [make_request(f"k{n}", seed=n, sampling=Sampling(1.0, 1.0, 3)) for n in range(4)]
    stopping = make_request("stopping", seed=1, sampling=VARIED, stops=(text[1:4],))
    [[*_, ended]] = generate_all(open_engine(CONFIG, tiny_checkpoint), [*short, stopping])
    assert ended.text == text[:4]


LIMITS = [3, 40, 3, 3, 3, 3, 3, 3]


def test_an_answer_that_goes_on_holds_none_that_ended(tiny_checkpoint: Path) -> None:
    first, *_, last = step_by_step(tiny_checkpoint, LIMITS, batch_size=4)
    assert first.keys() == {"k0", "k2", "k3"}
    assert last.keys() == {"k1"}


def test_an_answer_that_goes_on_in_later_batches_has_the_text_that_it_has_alone(
    tiny_checkpoint: Path,
) -> None:
    def texts(batch_size: int) -> dict[str, str]:
        steps = step_by_step(tiny_checkpoint, LIMITS, batch_size)
        return {name: text for step in steps for name, text in step.items()}

    assert texts(batch_size=4) == texts(batch_size=1)


def test_a_prompt_as_long_as_the_context_is_answered_without_text(tiny_checkpoint: Path) -> None:
    [[answer]] = generate_all(
        open_engine(CONFIG, tiny_checkpoint), [make_request("long", "x y " * 300)]
    )
    assert answer.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert (answer.text, answer.completion_tokens) == ("", 0)


def test_a_model_of_several_parts_names_its_context_in_the_part_for_text(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """Gemma 3, for one."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2}
    text = {"num_key_value_heads": 1, "head_dim": 8, "vocab_size": 330}
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "model")
    config = Gemma3Config(
        text_config={**small, **heads, **text, "max_position_embeddings": 64},
        vision_config={**small, **heads, "image_size": 28, "patch_size": 14},
        mm_tokens_per_image=4,
        image_token_id=329, boi_token_id=328, eoi_token_id=327,
    )  # fmt: skip
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    requests = [make_request("a", "x" * 200), make_request("b", "x")]
    [[long, short]] = generate_all(open_engine(CONFIG, folder), requests)
    assert long.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert short.completion_tokens


def test_a_model_that_names_no_context_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    folder = shutil.copytree(tiny_checkpoint, tmp_path / "model")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "state_size": 2, "vocab_size": 320}
    MambaForCausalLM(MambaConfig(**small)).save_pretrained(folder)
    with pytest.raises(InputError, match="names the longest context") as caught:
        generate_all(open_engine(CONFIG, folder), [make_request("a", "x")])
    assert caught.value.field == "kind"


def test_a_row_is_drawn_from_the_softmax_of_its_logits() -> None:
    """Logits log 1, log 3 at temperature 0.5: probabilities 1/10 and 9/10."""
    torch = pytest.importorskip("torch")
    from iterpref_assets.core.engines.transformers_backend import BegunAnswer, SeededSampling

    logits = torch.tensor([[0.0, math.log(3)]])
    counts: Counter[int] = Counter()
    for seed in range(1000):
        request = make_request("k", seed=seed, sampling=Sampling(0.5, 1.0, 1))
        counts[
            int(SeededSampling([BegunAnswer(request, [], 1)])(torch.zeros(1, 1), logits).argmax())
        ] += 1
    # Standard deviation 0.0095: 4 of them on each side.
    assert abs(counts[1] / 1000 - 0.9) < 0.038


def test_top_p_leaves_only_the_likeliest_tokens() -> None:
    torch = pytest.importorskip("torch")
    from iterpref_assets.core.engines.transformers_backend import BegunAnswer, SeededSampling

    logits = torch.tensor([[0.0, math.log(3)]])
    requests = [make_request("k", seed=n, sampling=Sampling(1.0, 0.7, 1)) for n in range(50)]
    answers = [BegunAnswer(request, [], 1) for request in requests]
    drawn = SeededSampling(answers)(torch.zeros(50, 1), logits.expand(50, 2)).argmax(dim=1)
    assert set(drawn.tolist()) == {1}


def test_a_greedy_row_beside_a_drawn_one_keeps_its_likeliest_token() -> None:
    torch = pytest.importorskip("torch")
    from iterpref_assets.core.engines.transformers_backend import BegunAnswer, SeededSampling

    logits = torch.tensor([[0.0, 0.1]]).expand(2, 2)
    greedy = make_request("greedy", seed=0, sampling=Sampling(0.0, 1.0, 1))
    seconds: set[int] = set()
    for seed in range(50):
        drawn = make_request("drawn", seed=seed, sampling=Sampling(1.0, 1.0, 1))
        rows = SeededSampling([BegunAnswer(drawn, [], 1), BegunAnswer(greedy, [], 1)])
        first, second = rows(torch.zeros(2, 1), logits).argmax(dim=1).tolist()
        assert second == 1
        seconds.add(first)
    assert seconds == {0, 1}


def test_a_token_without_probability_is_never_drawn() -> None:
    torch = pytest.importorskip("torch")
    from iterpref_assets.core.engines.transformers_backend import BegunAnswer, SeededSampling

    logits = torch.tensor([[-math.inf, 0.0, -math.inf, 0.0, -math.inf]]).expand(200, 5)
    requests = [make_request("k", seed=n, sampling=Sampling(1.0, 1.0, 1)) for n in range(200)]
    answers = [BegunAnswer(request, [], 1) for request in requests]
    drawn = SeededSampling(answers)(torch.zeros(200, 1), logits).argmax(dim=1)
    assert set(drawn.tolist()) == {1, 3}


def test_weights_are_loaded_without_a_bar_where_nobody_sees_one(
    tiny_checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    generate_all(open_engine(CONFIG, tiny_checkpoint), [make_request("a", seed=1)])
    assert "Loading weights" not in capfd.readouterr().err
