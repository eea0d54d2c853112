"""A game that crashes, hangs or talks nonsense: the right attempt is blamed, all others are played, nobody is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from engine.errors import EnvironmentFault
from engine.external.external_game import Reply, Unplayed
from engine.faults import KILLED, RAISED, TIMEOUT
from sims.connect.child_process import ChildProcess
from sims.connect.connected_player import shake_hands
from sims.connect.registry import game_of
from tests.kit.moody import moody, player_of, processes_with, questions, wait_until_gone
from tests.kit.places import ROOT

SHARE = 7  # one attempt of so many is moody
ATTEMPTS = 40

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")


@pytest.fixture
def mark(request):
    """A word in the command line of the games of one test, which must all be gone afterwards."""
    word = f"mark-{os.getpid()}-{abs(hash(request.node.name)) % 10**9}"
    yield word
    game_of.cache_clear()
    assert wait_until_gone(word) == []


def play(registration, count=ATTEMPTS):
    player = player_of(registration)
    try:
        return player, player.play(questions(registration, count))
    finally:
        player.close()


@pytest.fixture(scope="module")
def sane():
    """The replies of the game without any mood."""
    return play(moody(batch=1))[1]


def test_all_batches_give_the_same_replies(sane, mark):
    assert all(isinstance(reply, Reply) for reply in sane)
    assert len({reply.outcome for reply in sane}) >= 2
    for batch in (3, 16, 256):
        player, replies = play(moody(mark=mark, batch=batch))
        assert replies == sane
        assert player.starts == 1


MOODS = {
    "crash": (KILLED, "the game ended with exit code 7"),
    "abort": (KILLED, "the game was ended by signal 6"),
    "partial": (KILLED, "the game ended with exit code 0"),
    "hang": (TIMEOUT, "the game gave no answer within 0.4 s"),
    "half": (TIMEOUT, "the game gave no answer within 0.4 s"),
    "family": (TIMEOUT, "the game gave no answer within 0.4 s"),
    "garbage": (RAISED, "a line must be a JSON object in UTF-8"),
    "endless": (RAISED, "the game wrote a line of more than 4,096 bytes"),
    "nan": (RAISED, "a number must be finite"),
    "id": (RAISED, "each attempt must come back with its id, in the order asked for"),
    "progress": (RAISED, "progress must be a number from 0 to 1, got 1.5"),
    "cause": (RAISED, "cause must be one of too hard, bad luck, got 'no such cause'"),
    "ticks": (RAISED, "ticks must be a whole number from 0 to 9007199254740992, got -1"),
    "typing": (RAISED, "a reply has the keys"),
    "error": (RAISED, "the level could not be built"),
}
QUICK = ("crash", "hang", "garbage", "progress")


@pytest.mark.parametrize(
    "mood", [pytest.param(mood, marks=() if mood in QUICK else pytest.mark.thorough) for mood in MOODS]
)
def test_the_attempt_that_fails_is_blamed_and_all_others_are_played(mood, sane, mark):
    kind, message = MOODS[mood]
    count = ATTEMPTS if mood in ("progress", "error") else 16
    for batch in (1, 16):
        registration = moody(mood, SHARE, mark=mark, batch=batch, limit_s=0.4 if kind == TIMEOUT else 10.0)
        asked = questions(registration, count)
        _, replies = play(registration, count)
        moods = [one.seed % SHARE == 0 for one in asked]
        assert any(moods)
        for moody_one, reply, expected in zip(moods, replies, sane, strict=False):
            if moody_one:
                assert isinstance(reply, Unplayed)
                assert reply.kind == kind
                assert message in reply.message
            else:
                assert reply == expected


def test_a_game_that_says_everything_twice_is_played_all_the_same(sane, mark):
    player, replies = play(moody("twice", mark=mark, batch=8), 24)
    assert replies == sane[:24]
    assert player.starts > 1


def test_a_game_may_talk_through_a_port(sane, mark):
    registration = moody("port", mark=mark, batch=16)._replace(transport="tcp")
    player, replies = play(registration)
    assert replies == sane
    assert player.starts == 1
    with pytest.raises(
        EnvironmentFault, match=r"but it did not connect within 0.5 s after 0.5 s; it wrote nothing else"
    ):
        shake_hands(moody("silent", mark=mark)._replace(transport="tcp").launch, 0.5)


def test_noise_on_stderr_neither_blocks_nor_counts(sane, mark):
    player, replies = play(moody("noisy", mark=mark, batch=16))
    assert replies == sane
    assert player.starts == 1


def test_a_banner_before_the_handshake_is_no_fault(sane, mark):
    assert play(moody("banner", mark=mark))[1] == sane


def test_a_handshake_that_fails_shows_last_lines_what_was_expected_and_how_long_was_waited(mark):
    with pytest.raises(EnvironmentFault) as fault:
        shake_hands(moody("refuses", mark=mark).launch, 20.0)
    text = str(fault.value)
    assert "must answer the first line with its handshake within 20 s" in text
    assert "but it ended with exit code 3 after " in text
    assert text.endswith("its last lines: cannot open display.")
    with pytest.raises(EnvironmentFault) as fault:
        shake_hands(moody("silent", mark=mark).launch, 0.3)
    assert "but it gave no answer within 0.3 s after 0.3 s; it wrote nothing else." in str(fault.value)
    missing = moody(mark=mark).launch._replace(command=("/no/such/game",))
    with pytest.raises(EnvironmentFault, match=r"/no/such/game must answer .* cannot be started \(no such file"):
        shake_hands(missing, 5.0)
    with pytest.raises(EnvironmentFault, match=r"no process can be started in /no/such/folder"):
        ChildProcess(missing._replace(folder="/no/such/folder"))


def test_a_game_that_says_something_else_than_when_it_was_registered_is_refused(mark):
    registration = moody("newer", mark=mark)
    with pytest.raises(EnvironmentFault, match=r"its version is 2 and was 1; register it again"):
        player_of(registration).play(questions(registration, 1))


def test_games_end_with_the_process_that_started_them_even_if_it_is_killed(mark):
    code = (
        "import sys, time\n"
        "from tests.kit.moody import moody, player_of, questions\n"
        "one = moody('hang', 1, mark=sys.argv[1], limit_s=60.0)\n"
        "print('ready', flush=True)\n"
        "player_of(one).play(questions(one, 1))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, mark], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    until = time.monotonic() + 20.0
    while len(processes_with(mark)) < 3 and time.monotonic() < until:  # itself, the guard and the game
        time.sleep(0.02)
    assert len(processes_with(mark)) == 3
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_until_gone(mark) == []


@pytest.mark.slow
def test_50_kills_and_stops_at_random_moments_change_no_reply(mark):
    """Of a game that is killed from outside no attempt is to blame: it is played again."""
    calm = moody(batch=16)
    expected = play(calm, 3_000)[1]
    registration = moody(mark=mark, batch=16, limit_s=0.5)
    player = player_of(registration)
    done = threading.Event()
    struck = [0]

    def strike() -> None:
        dice = random.Random(20263)
        while not done.is_set():
            time.sleep(dice.uniform(0.0, 0.05))
            for number in processes_with(mark):
                try:
                    leader = os.getpgid(number) == number  # the guard; the game is what is struck mostly
                    if not leader or dice.random() < 0.2:
                        os.kill(number, dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP]))
                        struck[0] += 1
                except ProcessLookupError:
                    continue
            time.sleep(0.3)

    striking = threading.Thread(target=strike, daemon=True)
    striking.start()
    rounds = 0
    try:
        while struck[0] < 50 and rounds < 400:
            asked = questions(registration, 3_000)[rounds % 10 * 300 : rounds % 10 * 300 + 300]
            try:
                replies = player.play(asked)
            except EnvironmentFault as fault:  # struck before its handshake
                assert "must answer the first line" in str(fault)  # noqa: PT017
                continue
            blamed = [reply for reply in replies if isinstance(reply, Unplayed)]
            assert len(blamed) <= 2  # struck twice in a row, within one attempt
            wanted = expected[rounds % 10 * 300 : rounds % 10 * 300 + 300]
            assert [r for r in replies if isinstance(r, Reply)] == [
                e for r, e in zip(replies, wanted, strict=True) if isinstance(r, Reply)
            ]
            rounds += 1
    finally:
        done.set()
        striking.join()
        player.close()
    assert struck[0] >= 50
