"""Each part that settings name is looked at, and one that fails keeps no other from its turn."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from transformers import AutoModelForCausalLM

from iterpref_assets.core.starter import Model, write_project
from iterpref_assets.core.training import cards
from iterpref_assets.settings import SETTINGS_FILE, Settings, load_settings
from iterpref_assets.steps.preflight import Finding, findings


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SETTINGS_FILE, str(write_project(tmp_path / "mine", Model("lab"))))
    return tmp_path / "mine"


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that knows one model, `small`."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": [{"id": "small"}]}).encode()
            self.send_response(200 if self.path == "/v1/models" else 404)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Models)
    thread = Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/v1"
    listening.shutdown()
    thread.join()
    listening.server_close()


def problems(settings: Settings) -> dict[str, str]:
    return {each.part: each.problem for each in findings(settings) if each.problem}


def served(url: str, model: str) -> dict[str, object]:
    return {
        "generator": {"source": "remote", "model": model},
        "engine": {"kind": "openai", "base_url": url},
    }


@pytest.mark.sandbox
def test_a_new_project_is_as_it_should_be(project: Path) -> None:
    assert problems(load_settings()) == {}


@pytest.mark.sandbox
def test_a_program_runs_in_the_sandbox(project: Path) -> None:
    said = {each.part: each.detail for each in findings(load_settings())}
    assert said["sandbox"] == "a program ran in it"


@pytest.mark.sandbox
def test_problems_are_counted(project: Path) -> None:
    said = {each.part: each.detail for each in findings(load_settings())}
    assert said["seeds"] == "1 shard, 3 problems, 1 held-out"


@pytest.mark.sandbox
def test_a_line_that_is_no_problem_is_named(project: Path) -> None:
    (project / "problems" / "broken.jsonl").write_text('{"problem_id": "x"}\n')
    assert "broken.jsonl:1" in problems(load_settings())["seeds"]


@pytest.mark.sandbox
def test_a_missing_model_keeps_no_other_part_from_its_turn(project: Path) -> None:
    missing = {"source": "local", "path": str(project / "absent")}
    settings = Settings(generator=missing, base_models={"mine": missing})
    assert set(problems(settings)) == {"generator", "base_models.mine"}


@pytest.mark.sandbox
def test_a_package_that_is_not_installed_is_named(project: Path) -> None:
    settings = Settings(packages=("no-such-package",))
    assert "no-such-package" in problems(settings)["sandbox"]


@pytest.mark.sandbox
def test_a_server_that_knows_the_model_is_as_it_should_be(project: Path, server: str) -> None:
    assert problems(Settings(**served(server, "small"))) == {}


@pytest.mark.sandbox
def test_a_server_without_the_model_tells_what_it_has(project: Path, server: str) -> None:
    said = problems(Settings(**served(server, "large")))["generator"]
    assert said == "field 'generator.model': the server has no 'large'. It has: small"


@pytest.mark.sandbox
def test_a_server_that_does_not_answer_is_named(project: Path) -> None:
    settings = Settings(**served("http://127.0.0.1:9/v1", "small"))
    assert "http://127.0.0.1:9/v1/models" in problems(settings)["generator"]


@pytest.mark.sandbox
def test_the_server_of_a_judge_is_looked_at(project: Path, server: str) -> None:
    judge = {"engine": {"kind": "openai", "base_url": server}, "model": "large"}
    found = problems(Settings(pairs={"judge": judge}))
    assert set(found) == {"pairs.judge.model"}
    assert "field 'pairs.judge.model'" in found["pairs.judge.model"]


@pytest.mark.sandbox
def test_the_name_that_a_judge_is_served_by_is_what_to_correct(project: Path, server: str) -> None:
    engine = {"kind": "openai", "base_url": server, "served_model": "large"}
    found = problems(Settings(pairs={"judge": {"engine": engine, "model": "small"}}))
    assert "field 'pairs.judge.engine.served_model'" in found["pairs.judge.model"]


@pytest.mark.sandbox
def test_a_server_is_asked_for_the_weights_that_it_is_said_to_serve(
    project: Path, server: str
) -> None:
    engine = {"kind": "openai", "base_url": server}
    generator = {"source": "local", "path": "/absent"}
    found = problems(Settings(engine=engine, generator=generator))
    assert set(found) == {"generator", "engine.base_url"}
    assert "field 'engine.served_model'" in found["engine.base_url"]
    assert "no '/absent'" in found["engine.base_url"]


def trained_here(model: Path, card: cards.Card, monkeypatch: pytest.MonkeyPatch) -> Finding:
    monkeypatch.setattr(cards, "card_here", lambda _processes: card)
    settings = Settings(base_models={"small": {"source": "local", "path": str(model)}})
    return next(each for each in findings(settings) if each.part == "base_models.small")


@pytest.mark.sandbox
def test_a_model_that_no_pair_could_train_here_is_refused_with_what_would_fit(
    project: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = 4 * AutoModelForCausalLM.from_pretrained(tiny_checkpoint).num_parameters()
    found = trained_here(tiny_checkpoint, cards.Card("a card", 3 * weights), monkeypatch)
    assert "and a card has" in found.problem
    assert 'precision = "bfloat16", optimizer = "adamw_8bit"' in found.problem


@pytest.mark.sandbox
def test_what_training_takes_at_least_is_told(
    project: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trained_here(tiny_checkpoint, cards.Card("a card", 10**9), monkeypatch)
    told = "training holds 0.0 GB of 1.0, and what its pairs take"
    assert found.detail == f"{tiny_checkpoint}; {told}"
