"""What a game says, read strictly: nonsense is refused in a sentence, and nothing else is accepted."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from engine.external.external_game import Reply, Unplayed
from engine.game import LOST, WON
from sims.connect.protocol import NotProtocol, handshake_of, hello, is_handshake, replies_of, request
from sims.connect.registry import Registration, game_of
from tests.kit.moody import questions
from tests.kit.moody_game import HANDSHAKE, played

REGISTRATION = Registration("moody", ("unused",), "/", json.dumps(HANDSHAKE))
GAME = game_of(REGISTRATION)


def asked(count: int, first: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(request(questions(REGISTRATION, count), first))["play"]
    return found


def said(*answers: dict[str, Any]) -> bytes:
    return json.dumps({"played": list(answers)}).encode()


def test_a_seed_travels_as_text_and_keeps_its_64_bits():
    seeds = [int(one["seed"]) for one in asked(200)] + [int(one["level_seed"]) for one in asked(200)]
    assert max(seeds) >= 2**63
    assert len(set(seeds)) == 400
    assert all(isinstance(one["seed"], str) for one in asked(3))
    assert set(asked(1)[0]) == {"id", "seed", "level", "level_seed", "params", "player"}
    assert json.loads(hello()) == {"flowdial": 1}


def test_what_a_game_plays_comes_back_whole():
    ones = asked(64, first=5)
    replies = replies_of(said(*map(played, ones)), GAME, 5, 64)
    assert {reply.outcome for reply in replies if isinstance(reply, Reply)} >= {WON, LOST}
    for one, reply in zip(map(played, ones), replies, strict=True):
        assert isinstance(reply, Reply)
        assert (reply.progress, reply.ticks, reply.duration_s) == (one["progress"], one["ticks"], one["seconds"])
        assert reply.cause == (GAME.causes.index(one["cause"]) if "cause" in one else -1)
        assert reply.check == int(one["check"], 16)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"progress": 1.5}, "progress must be a number from 0 to 1, got 1.5"),
        ({"progress": True}, "progress must be a number from 0 to 1, got True"),
        ({"progress": "1"}, "progress must be a number from 0 to 1, got '1'"),
        ({"outcome": "won", "progress": 0.5, "cause": None}, "the progress of a won attempt must be 1, got 0.5"),
        ({"outcome": "victory"}, "outcome must be one of won, lost, timed_out, got 'victory'"),
        ({"outcome": ["won"]}, "outcome must be one of won, lost, timed_out, got ['won']"),
        ({"outcome": "lost", "cause": "boredom"}, "cause must be one of too hard, bad luck, got 'boredom'"),
        ({"outcome": "lost", "cause": {}}, "cause must be one of too hard, bad luck, got {}"),
        ({"outcome": "timed_out", "cause": "too hard"}, "only a lost attempt has a cause, got 'too hard'"),
        ({"ticks": 2.5}, "ticks must be a whole number from 0 to 9007199254740992, got 2.5"),
        ({"ticks": 10**400}, "ticks must be a whole number from 0 to 9007199254740992, got 1000"),
        ({"seconds": -1}, "seconds must be a number from 0 to 1e+09, got -1"),
        ({"score": 0.5}, "a score must be announced by the handshake, got one without"),
        ({"check": "xyz"}, "check must be text of 1 to 16 hexadecimal digits, got 'xyz'"),
        ({"check": "0" * 17}, "check must be text of 1 to 16 hexadecimal digits"),
        ({"outcom": "won"}, "a reply has the keys cause, check, id, outcome, progress, score, seconds, ticks, got"),
    ],
)
def test_a_wrong_value_is_told_of_its_attempt_alone(change, rule):
    ones = asked(3)
    answers = [{**played(one)} for one in ones]
    answers[1] = {"outcome": "lost", "progress": 0.5, "cause": "too hard", "ticks": 1, "seconds": 1, "id": 2} | change
    found = replies_of(said(*answers), GAME, 1, 3)
    assert isinstance(found[0], Reply)
    assert isinstance(found[2], Reply)
    wrong = found[1]
    assert isinstance(wrong, Unplayed)
    assert rule in wrong.message
    assert wrong.type == "WrongReply"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"", "a line must be a JSON object in UTF-8, got "),
        (b"Segmentation fault", "a line must be a JSON object in UTF-8, got Segmentation fault"),
        (b"\xff\xfe", "a line must be a JSON object in UTF-8"),
        (b"[]", "a line must be a JSON object, got []"),
        (b'{"played": []}', "played must be a list of one object for each attempt asked for, here 1"),
        (b'{"played": [{"id": 2}]}', "each attempt must come back with its id, in the order asked for"),
        (b'{"played": [{"id": true}]}', "each attempt must come back with its id"),
        (b'{"played": [{"id": 1, "id": 1}]}', "a key must stand in an object once, got one twice"),
        (b'{"played": [{"id": 1, "seconds": NaN}]}', "a number must be finite, got NaN"),
        (b'{"played": [{"id": 1, "seconds": -Infinity}]}', "a number must be finite, got -Infinity"),
        (b'{"played": 1, "more": 2}', "a line must be an object with the key played alone"),
        (b"[" * 100_000, "a line must be a JSON object in UTF-8"),
    ],
)
def test_a_line_that_is_about_something_else_is_refused(line, rule):
    with pytest.raises(NotProtocol) as fault:
        replies_of(line, GAME, 1, 1)
    assert rule in str(fault.value)


def spoilt(dice: random.Random, line: bytes) -> bytes:
    """The line of a game with one to three faults in it, of bytes or of values."""
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.5:
            place = dice.randrange(len(line) + 1)
            piece = dice.choice(
                [b"", b"\x00", b"\xff", b'"', b"{", b"}", b"[", b"]", b",", b":", b"-", b"e9", b"1e999"]
            )
            line = line[:place] + piece + line[place + dice.randint(0, 4) :]
            continue
        try:
            content = json.loads(line)
            one = content["played"][dice.randrange(len(content["played"]))]
            key = dice.choice([*one, "score", "extra"])
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            continue
        values: list[Any] = [
            None,
            True,
            "",
            "won",
            "lost",
            "1",
            -1,
            0,
            1,
            0.3,
            2.0,
            1e308,
            10**30,
            [],
            {},
            math.nan,
            math.inf,
        ]
        one[key] = dice.choice(values)
        if dice.random() < 0.2:
            del one[dice.choice(list(one))]
        line = json.dumps(content).encode()
    return line


def assert_sound(reply: Reply, one: dict[str, Any]) -> None:
    """An accepted reply says what its object says, and an attempt can have ended so. Written a second time."""
    assert one["outcome"] in ("won", "lost", "timed_out")
    assert reply.outcome == {"won": 1, "lost": 2, "timed_out": 3}[one["outcome"]]
    for value, key in ((reply.progress, "progress"), (reply.ticks, "ticks"), (reply.duration_s, "seconds")):
        assert not isinstance(one[key], bool)
        assert value == one[key]
    assert 0.0 <= reply.progress <= 1.0
    assert reply.progress == 1.0 or one["outcome"] != "won"
    assert 0 <= reply.ticks <= 2**53
    assert float(reply.ticks).is_integer()
    assert 0.0 <= reply.duration_s <= 1e9
    assert "score" not in one
    if one["outcome"] == "lost":
        assert GAME.causes[reply.cause] == one["cause"]
    else:
        assert reply.cause == -1
        assert one.get("cause") is None
    assert set(one) <= {"id", "outcome", "progress", "cause", "ticks", "seconds", "check"}


def test_2000_spoilt_replies_raise_nothing_else_and_no_nonsense_is_accepted():
    dice = random.Random(20261)
    ones = asked(4)
    refused = accepted = 0
    for _ in range(2_000):
        line = spoilt(dice, said(*map(played, dice.sample(ones, 1) if dice.random() < 0.1 else ones)))
        try:
            replies = replies_of(line, GAME, 1, 4)
        except NotProtocol:
            refused += 1
            continue
        for reply, one in zip(replies, json.loads(line)["played"], strict=True):
            if isinstance(reply, Reply):
                assert_sound(reply, one)
                accepted += 1
            else:
                assert reply.message
                refused += 1
    assert refused > 1_000
    assert accepted > 500  # a whole line is not refused for one attempt of it


def test_2000_spoilt_handshakes_are_refused_or_make_a_game():
    dice = random.Random(20262)
    text = json.dumps(HANDSHAKE).encode()
    good = 0
    for _ in range(2_000):
        place = dice.randrange(len(text))
        line = text[:place] + dice.choice([b"", b"9", b'"', b"null", b"-", b"{}", b"[", b"true"]) + text[place + 1 :]
        try:
            found = handshake_of(line)
        except NotProtocol:
            continue
        good += 1
        assert found.knobs
        assert found.causes
        assert found.batch >= 1
    assert good < 1_500


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"flowdial": 2}, "flowdial must be 1, the version of the protocol, got 2"),
        ({"version": "3"}, "version must be a whole number from 0 to 1000000000, got '3'"),
        ({"deterministic": 1}, "deterministic must be true or false, got 1"),
        ({"causes": []}, "causes must be a list of 1 to 100, got []"),
        ({"causes": ["null"]}, "a cause must not be a word that tables have for a missing value"),
        ({"params": [{"name": "a b", "low": 0, "high": 1, "default": 0}]}, "a knob's name must be an identifier"),
        ({"params": [{"name": "a", "low": 0, "high": 1}]}, "a needs low, high and default; add what is missing"),
        ({"params": [{"name": "a", "low": 1, "high": 0, "default": 0}]}, "bounds must be finite with low < high"),
        ({"params": [{"name": "a", "low": 0, "high": 1, "default": 5}]}, "a must lie in [0, 1] 1, got 5"),
        ({"params": [{"name": "a", "choices": ["x", "y"]}]}, "choices belong to the scale choice"),
        ({"progression": ["other"]}, "progression names params, got 'other'"),
        ({"colour": "red"}, "the handshake knows flowdial, name, version, params, causes, deterministic, summary"),
    ],
)
def test_a_wrong_handshake_is_refused_in_a_sentence(change, rule):
    with pytest.raises(NotProtocol) as fault:
        handshake_of(json.dumps({**HANDSHAKE, **change}).encode())
    assert rule in str(fault.value)


def test_a_banner_is_no_handshake():
    assert not is_handshake(b"Godot Engine v4.2 - https://godotengine.org")
    assert not is_handshake(b"{not json}")
    assert is_handshake(json.dumps(HANDSHAKE).encode())
