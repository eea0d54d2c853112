"""The command line from outside: what it prints and where, its exit codes, and what starting up may import."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from sims import catalog as catalog_module
from sims import read_run
from sims.catalog import version
from sims.cli.app import main
from tests.kit.places import ROOT
from tests.kit.small import TEXT

COMMANDS = (
    "advise", "arena", "check", "compare", "describe", "export", "list", "new", "plan", "play", "replay", "report",
    "resume", "run", "schema", "tune", "verify", "watch",
)  # fmt: skip


def flowdial(*words: str, cwd: Path = ROOT, **settings) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.run(
        [sys.executable, "-m", "sims", *words],
        cwd=cwd, env=environment, stdin=subprocess.DEVNULL, text=True, check=False, **streams
    )  # fmt: skip


@pytest.fixture
def words(capsys, tmp_path, monkeypatch):
    """Run a command here; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return (code, *capsys.readouterr())

    return run


ONE = "compare quickstart --controller "
TWICE = {
    "run quickstart --seed 3 --seed 4": "--seed is given twice; give it once.",
    "run quickstart --seed=3 --quiet --seed 3": "--seed is given twice; give it once.",
    "run quickstart --quiet --quiet --seed": "Option '--seed' requires an argument.",
    "check quickstart --set seed=3 --set seed=4": "--set gives seed twice; give it once.",
    "check quickstart --set seed=3 --seed 4": "--seed and --set seed give the seed twice; give it once.",
    "check quickstart --set target.tolerance=0.1 --set target={win_rate=0.7}": "--set gives target twice",
    "check quickstart --set target={win_rate=0.7} --set target.win_rate=0.6": "--set gives target.win_rate twice",
    "compare quickstart quickstart --set players.count=9 --set players.count=8": "--set gives players.count twice",
    "compare quickstart quickstart --seed 4 --set seed=3": "--seed and --set seed give the seed twice",
    "plan quickstart --effect 0.02 --set seed=3 --set seed=3": "--set gives seed twice; give it once.",
    "advise quickstart --set seed=3 --set seed=4": "--set gives seed twice; give it once.",
    "tune quickstart --budget 9 --set seed=3 --seed 4": "--seed and --set seed give the seed twice",
    "tune quickstart --budget 9 --budget 8": "--budget is given twice; give it once.",
    "tune quickstart --budget 9 --lock speed --lock speed": "'--lock': speed is given twice; give it once.",
    f"{ONE} constant,difficulty=0.5,difficulty=0.6": "'--controller': gives difficulty twice",
    f"{ONE} constant,difficulty=0.5,difficulty=0.5": "'--controller': gives difficulty twice",
    f"{ONE} kalman,q=0.01,gain=2,q=0.02": "'--controller': gives q twice",
    f"{ONE} kalman --controller kalman": "'--controller': kalman is given twice; give it once.",
    "compare quickstart --find-gain kalman --find-gain elo": "--find-gain is given twice; give it once.",
    "arena --controller kalman --controller kalman": "'--controller': kalman is given twice; give it once.",
    "arena --world stationary --world stationary": "'--world': stationary is given twice; give it once.",
    "play gap_runner --target 0.7 --target 0.8": "--target is given twice; give it once.",
    "export . --to csv --to xlsx": "--to is given twice; give it once.",
}


@pytest.mark.parametrize("line", TWICE)
def test_of_two_values_none_is_dropped_in_silence(words, line):
    code, out, err = words(*line.split())
    assert (code, out) == (2, "")
    assert TWICE[line] in err
    assert err.count("\n") == 1


def test_a_table_and_another_key_of_it_are_two_settings(words):
    settings = ("--set", "target={win_rate=0.7}", "--set", "target.after_attempts=7")
    code, out, _ = words("check", "quickstart", "--resolved", *settings)
    assert code == 0
    assert "after_attempts = 7" in out


# --- Starting up ------------------------------------------------------------------------------------------------------


def test_help_imports_nothing_but_click():
    code = (
        "import sys; before = set(sys.modules)\n"
        "from sims.cli.app import main\n"
        "main(['--help'])\n"
        "found = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names\n"
        "print(*sorted(found), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) <= {"click", "colorama", "sims"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_imports_nothing_of_the_engine(command):
    code = f"import sys\nfrom sims.cli.app import main\nmain([{command!r}, '--help'])\nprint('engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: flowdial {command} ")
    assert done.stdout.endswith("False\n")


def test_help_names_every_command_and_the_exit_codes(words):
    code, out, err = words("--help")
    assert (code, err) == (0, "")
    assert [command for command in COMMANDS if f"\n  {command} " not in out] == []
    assert "130  interrupted" in out
    assert words("-h")[1] == out
    assert words()[:2] == (0, out)


def test_the_version_is_that_of_the_project(words):
    assert words("--version") == (0, f"flowdial {version()}\n", "")


# --- Results ----------------------------------------------------------------------------------------------------------


def test_check_says_what_would_be_run(words):
    code, out, err = words("check", "quickstart", "--seed", "3", "--set", "players.count=12")
    assert (code, err) == (0, "")
    assert out.startswith("quickstart: valid; 12 players in 3 groups, at most 4,800 attempts, fingerprint ")
    assert all(line.startswith("note: ") for line in out.splitlines()[1:])


def test_check_writes_the_resolved_scenario_as_utf8_to_a_new_file(words, tmp_path):
    file = tmp_path / "mine.toml"
    assert words("check", "quickstart", "--set", "title='Später'", "--resolved", "--out", str(file))[:2] == (0, "")
    assert 'title = "Später"' in file.read_text(encoding="utf-8")
    assert words("check", str(file))[0] == 0
    code, _, err = words("check", "quickstart", "--resolved", "--out", str(file))
    assert (code, "already exists; choose another --out or remove it" in err) == (2, True)
    code, _, err = words("check", "quickstart", "--out", str(tmp_path / "other.toml"))
    assert (code, "--out needs --resolved" in err) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_what_check_prints_can_be_read_whatever_the_locale(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "sims", "check", "quickstart", "--resolved", "--set", "title='Spät €'"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert 'title = "Spät €"' in done.stdout.decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX expand ~")
@pytest.mark.parametrize("file_format", ["csv", pytest.param("parquet", marks=pytest.mark.thorough)])
def test_a_tilde_that_the_shell_left_is_the_home(words, tmp_path, monkeypatch, file_format):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    scenario = tmp_path / "small.toml"
    scenario.write_text(TEXT.format(game="logistic", controller="constant", players=6, attempts=30), encoding="utf-8")
    for out, folder in (("~/a", tmp_path / "home" / "a"), ("./~/b", tmp_path / "~" / "b")):
        assert words("run", str(scenario), f"--out={out}", "--format", file_format, "--quiet")[0] == 0
        assert (folder / "report.html").is_file()
        assert words("verify", str(folder))[0] == 0
        assert len(read_run(folder).attempts())
    assert words("verify", "./~/b")[0] == 0
    code, _, err = words("run", str(scenario), "--out=~nobody-of-this-name/a")
    assert (code, "~nobody-of-this-name has no home folder" in err) == (2, True)


@pytest.mark.parametrize(
    ("variable", "value"), [("NUMBA_NUM_THREADS", "0"), ("NUMBA_NUM_THREADS", "abc"), ("NUMBA_CPU_FEATURES", "avx")]
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_variable_that_stops_the_compiler_is_named(tmp_path, variable, value, workers):
    environment = {**os.environ, variable: value}
    command = [sys.executable, "-m", "sims", "run", "quickstart", "--workers", workers, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert variable in done.stderr
    assert "plug-in" not in done.stderr


def test_check_prints_the_resolved_scenario_which_checks_the_same(words, tmp_path):
    resolved = words("check", "quickstart", "--resolved")[1]
    (tmp_path / "resolved.toml").write_text(resolved, encoding="utf-8")
    first, second = words("check", "quickstart")[1], words("check", "resolved.toml")[1]
    assert first.split()[1:] == second.split()[1:]


def test_list_as_text_and_as_json(words):
    code, out, err = words("list")
    assert (code, err) == (0, "")
    assert [word for word in ("games", "controllers", "scenarios", "gap_runner", "quickstart") if word not in out] == []
    found = json.loads(words("list", "games", "--json")[1])
    assert set(found) == {"games"}
    assert {"name": "logistic", "origin": "built-in"}.items() <= found["games"][0].items()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("gap_runner", ("The rules", "spacing_m", "9.2 to 11.2", "hit a beam", "space: jump", "score: how well")),
        ("logistic", ("score: none; controllers with graded > 0 read the progress instead",)),
        ("weighted_up_down", ("adaptive", "d <- clip", "Kaernbach 1991", "0.05", "scopes: player")),
        ("quickstart", ("newcomers", "77 to 83 %", "speed", "5 to 9 m/s", "kalman", "fingerprint")),
    ],
)
def test_describe_explains(words, name, wanted):
    code, out, err = words("describe", name)
    assert (code, err) == (0, "")
    assert [word for word in wanted if word not in out] == []


def test_describe_plays_a_game_along_its_dial(words):
    code, out, err = words("describe", "logistic", "--dial")
    assert (code, err) == (0, "")
    head, difficulties, *skills = out.splitlines()
    assert "4,000 players" in head
    assert difficulties.split() == ["difficulty", *(f"{i / 10:.1f}" for i in range(11))]
    assert [float(line.split()[1]) for line in skills] == sorted(float(line.split()[1]) for line in skills)


def test_every_plugin_and_scenario_can_be_described(words):
    for entries in json.loads(words("list", "--json")[1]).values():
        for entry in entries:
            code, out, _ = words("describe", entry["name"])
            assert code == 0
            assert entry["name"] in out or entry["summary"] in out


def test_schema_to_stdout_and_to_a_file(words, tmp_path):
    code, out, _ = words("schema")
    assert code == 0
    assert words("schema", "--out", "schema.json")[:2] == (0, "")
    assert json.loads((tmp_path / "schema.json").read_text()) == json.loads(out)


@pytest.fixture
def unseen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


PNG = b"\x89PNG\r\n"


def test_play_opens_a_window(words, unseen, tmp_path):
    code, out, _ = words("play", "gap_runner", "--controller", "ramp", "--frames", "3", "--record", "a.png")
    assert (code, out) == (0, "picture a.png\n")
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    assert not (tmp_path / "runs").exists(), "a demonstration is nobody's sitting"


def test_a_run_is_watched_and_replayed(words, unseen, tmp_path):
    (tmp_path / "small.toml").write_text(TEXT.format(game="gap_runner", controller="kalman", players=4, attempts=9))
    shown = ("--frames", "4", "--record")
    assert words("watch", "small.toml", "--speed", "inf", "--seed", "5", "--out", "seen", *shown, "a.png")[:2] == (
        0,
        "new: not sure yet\nold: not sure yet\n"
        f"rows    {Path('seen', 'attempts.csv')}\nreport  {Path('seen', 'report.html')}\npicture a.png\n",
    )
    code, out, err = words("replay", "seen", "--pick", "longest attempt", "--speed", "inf", *shown, "b.png")
    assert (code, err) == (0, "")
    assert ": state equal (hash " in out
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in ("a.png", "b.png"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.parametrize("arguments", [("play", "gap_runner"), ("watch", "quickstart")])
def test_without_a_display_nothing_is_left_behind(words, monkeypatch, tmp_path, arguments):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = words(*arguments)
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert list((tmp_path / "runs").iterdir()) == []


# --- Errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["runn", "quickstart"], ("flowdial: ", "runn")),
        (["ru", "quickstart"], ("flowdial: ", "ru")),  # no abbreviations
        (["run"], ("flowdial run: ", "SCENARIO")),
        (["run", "quickstart", "--seeds", "3"], ("flowdial run: ", "--seed")),
        (["run", "quickstart", "--see", "3"], ("flowdial run: ", "--see")),
        (["run", "quickstart", "--seed", "-1"], ("flowdial run: ", "--seed", "-1")),
        (["run", "quickstart", "--workers", "0"], ("flowdial run: ", "--workers")),
        (["run", "quickstart", "--format", "xls"], ("flowdial run: ", "csv", "parquet")),
        (["run", "quickstart", "--set", "seed"], ("flowdial run: ", "key=value", "'seed'")),
        (["run", "quickstart", "--set", "seed=x"], ("--set seed: ", "whole number", "got 'x'")),
        (["run", "quikstart"], ("did you mean 'quickstart'?",)),
        (["run", "absent.toml"], ("absent.toml: there is no such file",)),
        (["run", "."], ("folder",)),
        (["describe", "kalmn"], ("'kalmn' - did you mean 'kalman'? flowdial list shows",)),
        (["describe", "zebra"], ("nothing is called 'zebra'; flowdial list shows",)),
        (["verify", "absent"], ("flowdial verify: ", "absent")),
        (["verify", ".", "--rows", "none"], ("flowdial verify: ", "all", "none")),
        (["resume", "absent"], ("flowdial resume: ", "absent")),
        (["report", "absent"], ("flowdial report: ", "absent")),
        (["list", "players"], ("flowdial list: ", "games")),
        (["play"], ("flowdial play: ", "GAME")),
        (["play", "gap_runer"], ("did you mean 'gap_runner'?",)),
        (["play", "logistic"], ("logistic", "use flowdial watch instead")),
        (["play", "gap_runner", "--target", "75"], ("--target", "above 0 and below 1", "75")),
        (["play", "gap_runner", "--frames", "0"], ("flowdial play: ", "--frames")),
        (["play", "gap_runner", "--record", "a.avi"], ("flowdial play: ", ".png, .webp", "a.avi")),
        (["watch", "quickstart", "--speed", "0"], ("flowdial watch: ", "--speed")),
        (["watch", "quickstart", "--speed", "nan"], ("flowdial watch: ", "--speed", "above 0", "got 'nan'")),
        (["watch", "quickstart", "--cohort", "expert"], ("--cohort", "did you mean 'experts'?")),
        (["watch", "quickstart", "--row", "1"], ("flowdial watch: ", "--row")),
        (["replay", "absent"], ("flowdial replay: ", "absent")),
        (["replay", ".", "--row", "-1"], ("flowdial replay: ", "--row", "-1")),
        (["compare", "quickstart", "--least", "0.02"], ("flowdial compare: ", "--least needs two scenarios")),
        (["compare", "."], ("flowdial compare: ", "a finished run", "give two")),
        (["compare", ".", "quickstart"], ("flowdial compare: ", "runs are compared with runs")),
        (["compare", ".", ".", "--seed", "3"], ("flowdial compare: ", "--seed is for scenarios that are played")),
        (["compare", ".", ".", "--set", "seed=3"], ("flowdial compare: ", "--set is for scenarios that are played")),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(words, tmp_path, arguments, wanted):
    code, out, err = words(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert [word for word in wanted if word not in err] == []
    assert list(tmp_path.iterdir()) == []


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (ScenarioError("a.toml:1: b: c", "a.toml:2: d: e"), 2, "a.toml:1: b: c\na.toml:2: d: e"),
        (RunFolderError("the folder is in use"), 4, "flowdial: the folder is in use"),
        (EnvironmentFault("no room"), 5, "flowdial: no room"),
        (
            OSError(errno.ENOSPC, "No space left on device", "rows.csv"),
            5,
            "flowdial: rows.csv: No space left on device; make room and try again.",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 5, "flowdial: x: Permission denied."),
        (BrokenPipeError(), 5, ""),
        (ModuleNotFoundError("No module named 'PIL'", name="PIL"), 5, "flowdial: the package 'PIL' is missing"),
        (MemoryError(), 5, "flowdial: not enough memory"),
        (KeyboardInterrupt(), 130, "flowdial: interrupted."),
        (Odd("two\nlines"), 70, "flowdial: internal error of Flowdial: Odd: two lines"),
        (ModuleNotFoundError("No module named 'sims.x'", name="sims.x"), 70, "flowdial: internal error of Flowdial"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_fault_has_its_line_and_its_code(words, monkeypatch, fault, code, line):
    def raise_it(self, name):
        raise fault

    monkeypatch.setattr(catalog_module.Catalog, "scenario", raise_it)
    found, out, err = words("check", "quickstart")
    assert (found, out) == (code, "")
    assert err.startswith(line)
    assert "Traceback" not in err
    assert "Traceback" in words("check", "quickstart", "--debug")[2]
    assert "Traceback" in words("--debug", "check", "quickstart")[2]


def test_several_errors_are_one_line_each(words, tmp_path):
    (tmp_path / "wrong.toml").write_text("format = 1\nsede = 3\n")
    code, out, err = words("check", "wrong.toml")
    assert (code, out) == (2, "")
    assert all(line.startswith("wrong.toml:") for line in err.splitlines())
    assert "wrong.toml:2: sede: " in err


# --- Streams and signals ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_an_error_without_a_traceback():
    with open("/dev/full", "w") as full:
        done = flowdial("list", stdout=full)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "flowdial: " in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
def test_a_closed_pipe_behind_stdout_is_quiet_and_not_a_success():
    read, write = os.pipe()
    os.close(read)
    done = flowdial("describe", "gap_runner", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (5, "")


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_closed_stdout_is_no_crash():
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m sims list >&-', sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stderr == "flowdial: stdout is closed, so the result cannot be printed.\n"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_command_with_their_code(tmp_path, number, code):
    pipe = tmp_path / "endless.toml"
    os.mkfifo(pipe)  # reading it waits for ever
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
         "import sys, sims.cli.app; sys.exit(sims.cli.app.main(['check', sys.argv[1]]))", str(pipe)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    opened = -1
    deadline = time.monotonic() + 60
    while opened < 0 and process.poll() is None and time.monotonic() < deadline:
        try:
            opened = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # works as soon as the command reads
        except OSError:
            time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    os.close(opened)
    assert process.returncode == code
    assert "Traceback" not in err
