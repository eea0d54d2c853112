"""The clients of docs/examples/connect: one game in several languages, the same attempts to the last digit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.attempt import Address
from engine.contract.game_rules import faculties_at
from engine.external.external_game import Question, Reply, dice_of, question_of
from engine.game import LOST, TIMED_OUT, WON
from sims.cli.app import main
from sims.connect.connected_player import ConnectedPlayer, shake_hands
from sims.connect.protocol import hello, request
from sims.connect.registry import Registration, game_of
from tests.kit.places import ROOT

DOCS = ROOT / "docs"
CLIENTS = DOCS / "examples" / "connect"
MOST_LINES = 150
SLOWER = pytest.mark.thorough
LANGUAGES = ("python", "javascript", "c", "lua")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")


def command_of(language: str, folder: Path) -> tuple[str, ...]:
    """How the client of a language is started. Skips the test where the language is not here."""
    words = {"python": sys.executable, "javascript": "node", "c": "cc", "lua": "lua5.4"}
    program = shutil.which(words[language])
    if program is None:
        pytest.skip(f"{words[language]} is not installed")
    if language == "c":
        built = str(folder / "river")
        options = ["-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
        subprocess.run([program, *options, "-o", built, str(CLIENTS / "river.c")], check=True, timeout=60)
        return (built,)
    file = {"python": "river.py", "javascript": "river.mjs", "lua": "river.lua"}[language]
    return program, str(CLIENTS / file)


def registration_of(language: str, folder: Path) -> Registration:
    command = command_of(language, folder)
    child, said = shake_hands(Registration(language, command, "/", "").launch, 30.0)
    child.end(politely=True)
    return Registration(language, command, "/", said.text)


def played(registration: Registration, asked: list[Question]) -> list[Any]:
    player = game_of(registration).player
    assert isinstance(player, ConnectedPlayer)
    try:
        return player.play(asked)
    finally:
        player.close(politely=True)


def questions(registration: Registration) -> list[Question]:
    """Attempts over skills and over the whole dial, some of them on numbered levels."""
    game = game_of(registration)
    found = []
    for i in range(300):
        values = game.space.real([(i * 0.618034 + j * 0.37) % 1.0 for j in range(len(game.space))])
        dice = dice_of(*Address(7, 0, i, 0, i % 3))
        found.append(question_of(game, values, faculties_at((i % 7 - 3) / 2.0), dice, i % 3))
    return found


@pytest.fixture(scope="module")
def in_python(tmp_path_factory):
    registration = registration_of("python", tmp_path_factory.mktemp("python"))
    return played(registration, questions(registration))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_plays_what_the_one_in_python_plays(language, in_python, tmp_path):
    registration = registration_of(language, tmp_path)
    replies = played(registration, questions(registration))
    assert all(isinstance(reply, Reply) for reply in replies)
    assert {reply.outcome for reply in replies} == {WON, LOST}
    assert {reply.cause for reply in replies} == {-1, 0, 1}
    assert replies == in_python
    assert TIMED_OUT not in {reply.outcome for reply in replies}  # the river ends by itself


@pytest.mark.parametrize(
    "language", ["javascript", *(pytest.param(x, marks=pytest.mark.thorough) for x in ("c", "lua"))]
)
def test_connect_check_finds_nothing_wrong(language, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FLOWDIAL_CONFIG_DIR", str(tmp_path / "config"))
    command = command_of(language, tmp_path)
    assert main(["connect", "add", "river", "--", *command]) == 0
    assert "river is registered: Coin River, version 1, 5 params." in capsys.readouterr().out
    assert main(["connect", "check", "river", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {finding["state"] for finding in findings} == {"fine"}
    checks = [finding["check"] for finding in findings]
    assert checks == [
        "handshake", "same dice", "skill order", "knobs", "dial", "ways to lose", "speed", "time", "restarts"
    ]  # fmt: skip


def test_clients_are_short_and_stand_alone():
    files = sorted(path.name for path in CLIENTS.iterdir() if path.is_file())
    assert files == ["River.cs", "river.c", "river.gd", "river.lua", "river.mjs", "river.py"]
    for path in CLIENTS.iterdir():
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert text.count("\n") < MOST_LINES, path.name
        assert "flowdial connect add" in text or not text
        assert ("Not run by us" in text) == (path.suffix in (".cs", ".gd"))


def test_lines_are_those_of_the_schema(in_python):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DOCS / "protocol.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    text = subprocess.run(
        [sys.executable, str(CLIENTS / "river.py")],
        input=hello() + request(questions(registration_of("python", CLIENTS))[:20], 1),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    handshake, replies = map(json.loads, text.splitlines())
    for line in (json.loads(hello()), handshake, replies):
        assert [fault.message for fault in validator.iter_errors(line)] == []
    for change in ({"progress": 2}, {"outcome": "won", "progress": 0.5}, {"cause": 3}, {"colour": 1}, {"check": "x"}):
        spoilt = {"played": [{**replies["played"][0], **change}]}
        assert not validator.is_valid(spoilt), change
