"""Scenarios from strangers: thousands of wrong and strange files; none crashes, hangs, writes or slips through.

Every mutant of tests/kit/mutants.py is either refused in lines that say file, key and what is allowed, or it is
accepted and then proved right: against the JSON schema, by its resolved form, by what the world gets, and a few by
playing it. `make fuzz` takes so many that it lasts minutes and prints the figures of docs/reliability.md.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import math
import os
import random
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.parameters import to_real
from engine.players import COHORT_STRIDE, TRAIT_LIST
from engine.record import attempt_batch, attempt_sheet
from engine.scenario import Scenario, json_schema, parse, setup_of
from engine.scenario_file.positions import KeyPath
from engine.setup import Setup
from engine.world import belief_columns, chunks, simulate
from sims.catalog import Catalog
from sims.runs.preflight import prepare_job
from tests.kit.json_schema import against
from tests.kit.mutants import GRID, Mutant, bases, leaves, mutants
from tests.kit.places import ROOT

pytestmark = pytest.mark.thorough

FILE = "mutant.toml"
HOME = ROOT
CATALOG = Catalog()
SCHEMA = json_schema()
LINE = re.compile(
    rf"(?:{FILE}:(?P<line>[0-9]+)|--set (?P<set>[^ ].*?)): (?:(?P<key>[^ ].*?): )?(?P<sentence>.+)", re.DOTALL
)
# How a sentence says what is allowed; one that says none of these is not a good message.
ALLOWED = re.compile(
    r"must (be|have|satisfy|give|differ|sum|end|name|stand|lie in) |is unknown: [^,]+ (keys|knobs|options) "
    r"|the traits are |is required: .|is one of |there are .|, but (this|here|it|one|byte|\[target\])"
    r"|at (most|least) |below high|needs |does not move|has no (bounds|options)|a table is needed"
    r"|a cohort has keys|a band has its own width"
)


class Finding(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant
    data: bytes
    scenario: Scenario | None  # None when it was refused
    setup: Setup | None
    lines: tuple[str, ...]
    cpu_s: float


@cache
def chosen(share: float) -> list[Mutant]:
    """So large a share of all mutants, the same ones every time."""
    dice = random.Random(20261122)
    return [mutant for mutant in mutants() if dice.random() < share]


# --- What a mutant may do ---------------------------------------------------------------------------------------------

_touched: list[str] | None = None  # a list while it is watched
_FORBIDDEN = {f"os.{name}" for name in ("mkdir", "rename", "remove", "rmdir", "link", "symlink", "truncate", "chmod")}
_FORBIDDEN |= {"os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect", "socket.bind"}


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _touched is None:
        return
    if event == "open":
        path, _, flags = arguments
        inside = str(path).startswith((str(HOME), sys.prefix, sys.base_prefix))
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND) or not inside:
            _touched.append(f"opened {path}")
    elif event in _FORBIDDEN:
        _touched.append(f"{event} {arguments}")


sys.addaudithook(_watch)


@contextmanager
def nothing_touched() -> Iterator[None]:
    """Fail when a file is written, one outside Flowdial and Python is read, or a process or connection begins."""
    global _touched
    seen: list[str] = []
    _touched = seen
    try:
        yield
    finally:
        _touched = None
    assert seen == []


def found(mutant: Mutant) -> Finding:
    """Read a mutant as `flowdial check` does. Every exception but ScenarioError is a crash."""
    data = mutant.make()
    scenario = setup = None
    lines: tuple[str, ...] = ()
    began = time.process_time()
    try:
        with nothing_touched():
            scenario = parse(data, FILE, CATALOG, [mutant.setting] if mutant.setting else [])
            setup = setup_of(scenario, CATALOG)
        prepare_job(scenario, setup)
    except ScenarioError as fault:
        lines = fault.lines
        scenario = None
    return Finding(mutant, data, scenario, setup, lines, time.process_time() - began)


# --- What a refusal must say ------------------------------------------------------------------------------------------


def malformed(finding: Finding) -> list[str]:
    """Lines of a refusal that are none: without file, line or key, not printable, too long or said twice."""
    last = finding.data.count(b"\n") + 1
    wrong = []
    for line in finding.lines:
        match = LINE.fullmatch(line)
        ending = line == f"{FILE}: there may be more errors; only 100 are shown"
        placed = match is not None and (match["set"] or (match["key"] and 1 <= int(match["line"]) <= last))
        if not (placed or ending) or not line.isprintable() or len(line) > 700:
            wrong.append(line)
    return wrong + [line for line, count in Counter(finding.lines).items() if count > 1]


def tells(finding: Finding) -> bool:
    """Whether one line of a refusal names the file, the key that was changed, and what is allowed there."""
    for line in finding.lines:
        match = LINE.fullmatch(line)
        if match is None or not ALLOWED.search(line):
            continue
        if match["set"] or finding.mutant.address is None or related(match["key"], finding.mutant.address):
            return True
        if match["key"] == "TOML" or not is_toml(finding.data):
            return True
    return False


def related(key: str, address: KeyPath) -> bool:
    """Whether a key of a message is that of the address, or of a table around or in it; cohorts are not told apart."""
    said = [re.sub(r"\[\d+\]", "", part) for part in key.split(".")]
    if said[0] == "cohort" and not re.match(r"cohort\[\d+\]", key) and len(said) > 1:
        del said[1]  # the name
    changed = [part for part in address if isinstance(part, str)]
    return all(a == b for a, b in zip(said, changed, strict=False))


def is_toml(data: bytes) -> bool:
    try:
        tomllib.loads(data.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError):
        return False
    return True


# --- What an accepted mutant must be ----------------------------------------------------------------------------------


def prove(finding: Finding) -> None:
    """Hold an accepted scenario against the schema, its own resolved form and the rules of what the world gets."""
    scenario, setup = finding.scenario, finding.setup
    assert scenario is not None
    assert setup is not None
    if finding.mutant.setting is None:
        text = finding.data.removeprefix(b"\xef\xbb\xbf").decode()
        assert against(SCHEMA, tomllib.loads(text)) == []
    resolved = scenario.resolved_toml()
    assert against(SCHEMA, tomllib.loads(resolved)) == []
    again = parse(resolved.encode(), FILE, CATALOG)
    assert (again.digest, again.form, again.resolved_toml()) == (scenario.digest, scenario.form, resolved)
    check_setup(setup)


def check_setup(setup: Setup) -> None:
    """The rules of docs/scenarios.md, said once more in terms of the numbers that reach the world."""
    assert 0.0 <= setup.floor < setup.ceiling <= 1.0
    assert setup.path.shape[1] == len(setup.space)
    assert len(setup.path) >= 2
    assert ((setup.path >= 0.0) & (setup.path <= 1.0)).all()
    assert setup.space.free
    table = setup.space.table()
    for j, knob in enumerate(setup.space):
        game_knob = next(other for other in setup.game.space if other.name == knob.name)
        assert game_knob.low <= knob.low < knob.high <= game_knob.high
        for u in (0.0, 0.5, 1.0):
            value = to_real(table, j, u)
            assert game_knob.low <= value <= game_knob.high
            assert game_knob.scale not in ("integer", "choice") or value.is_integer()
    for option in setup.kind.option_list:
        assert option.low <= getattr(setup.options, option.name) <= option.high
    assert setup.scope in setup.kind.scopes
    names = [name.casefold() for name in setup.cohorts]
    assert len(set(names)) == len(names) <= 64
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) for name in setup.cohorts)
    assert all(1 <= count <= COHORT_STRIDE for count in setup.counts)
    assert sum(setup.counts) * setup.attempts_per_player * setup.replicas <= 200_000_000
    assert setup.targets.shape == (len(setup.cohorts), max(setup.levels, 1))
    assert ((setup.targets > 0.0) & (setup.targets < 1.0)).all()
    for number in (*setup.gaps_s, setup.window_s, setup.delay_s, setup.deploy_every_s, *setup.flow):
        assert math.isfinite(number)
    assert all(gap >= 0.0 for gap in setup.gaps_s)
    assert setup.deploy_every_s == 0.0 or setup.scope != "player"
    assert 0.0 < setup.horizon_s <= 10_000 * 86_400.0
    assert setup.flow.same_day_share + setup.flow.daily_share <= 1.0
    for traits in setup.traits:
        for trait, row in zip(TRAIT_LIST, traits, strict=True):
            low, high = row[3:5]
            assert trait.low <= low <= high <= trait.high
            assert math.isfinite(row[1]) or np.isnan(row[1])
            assert np.isfinite(row[2:]).all()


def play_a_little(setup: Setup) -> None:
    """Play two players of each cohort, and hold every number of their rows against the range of its column."""
    small = dataclasses.replace(
        setup, counts=(2,) * len(setup.counts), replicas=1, attempts_per_player=min(setup.attempts_per_player, 12)
    )
    played = simulate(small, chunks(small)[0])
    sheet = attempt_sheet(small, belief_columns(small))
    rows = attempt_batch(sheet, played.rows)
    for column in sheet.columns:
        values = [value for value in rows[column.name].to_pylist() if value is not None]
        assert column.optional or len(values) == rows.num_rows, column.name
        if column.kind in ("integer", "number"):
            assert all(math.isfinite(value) for value in values), column.name
            low, high = (
                -math.inf if column.low is None else column.low,
                math.inf if column.high is None else column.high,
            )
            assert all(low <= value <= high for value in values), column.name


# --- The tests --------------------------------------------------------------------------------------------------------


def judged(many: list[Mutant], plays: int) -> list[Finding]:
    """Read all, prove what is accepted, play some of it; the findings."""
    findings = []
    for mutant in many:
        faulthandler.dump_traceback_later(120, exit=True, file=2)  # one that hangs must not hang the suite
        try:
            findings.append(found(mutant))
            if findings[-1].scenario is not None:
                prove(findings[-1])
        except Exception as fault:
            fault.add_note(f"{mutant.base}: {mutant.what}")
            raise
    faulthandler.cancel_dump_traceback_later()
    accepted = [finding for finding in findings if finding.setup is not None and finding.scenario is not None]
    different = list({finding.scenario.digest: finding for finding in accepted if finding.scenario}.values())
    for finding in random.Random(7).sample(different, min(plays, len(different))):
        assert finding.setup is not None
        try:
            play_a_little(finding.setup)
        except Exception as fault:
            fault.add_note(f"{finding.mutant.base}: {finding.mutant.what}")
            raise
    refused = [finding for finding in findings if finding.scenario is None]
    assert [(finding.mutant.what, malformed(finding)) for finding in refused if malformed(finding)] == []
    silent = [(finding.mutant.base, finding.mutant.what, finding.lines) for finding in refused if not tells(finding)]
    assert len(silent) <= 0.02 * len(refused), silent[:20]
    return findings


def test_a_small_share_of_all_mutants():
    findings = judged(chosen(1 / 500), plays=0)
    assert len(findings) > 300
    assert {finding.scenario is None for finding in findings} == {True, False}


def test_every_key_can_be_wrong_and_every_value_is_tried():
    tried = Counter((mutant.base, mutant.address) for mutant in mutants() if mutant.address is not None)
    for name, text in bases().items():
        if name.endswith("resolved"):
            assert min(tried[name, address] for address in leaves(tomllib.loads(text))) >= len(GRID)


def command(mutant: Mutant, data: bytes, folder: Path, verb: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The command line on a mutant, in a folder of its own; also the CPU seconds it took."""
    import resource

    (folder / FILE).write_bytes(data)
    setting = [f"--set={mutant.setting[0]}={mutant.setting[1]}"] if mutant.setting else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "sims", verb, FILE, *setting],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def at_the_command_line(many: list[Mutant], folder: Path) -> list[float]:
    """Give the mutants to the real command; the CPU seconds of each. Those that will be refused go to `run`."""
    times = []
    for mutant in many:
        finding = found(mutant)
        verb = "check" if finding.scenario else "run"
        done, cpu_s = command(mutant, finding.data, folder, verb)
        times.append(cpu_s)
        assert os.listdir(folder) == [FILE], mutant.what
        if finding.scenario:
            assert (done.returncode, done.stderr) == (0, ""), mutant.what
        else:
            assert (done.returncode, done.stdout) == (2, ""), mutant.what
            assert done.stderr.splitlines() == list(finding.lines), mutant.what
    return times


@pytest.mark.skipif(sys.platform == "win32", reason="the CPU time of children is told by POSIX only")
def test_the_command_says_the_same(tmp_path):
    at_the_command_line(random.Random(5).sample(chosen(1 / 500), 5), tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the CPU time of children is told by POSIX only")
def test_ten_thousand_mutants(tmp_path, capsys):
    """10,000 and more: the figures of docs/reliability.md. CPU seconds are printed and judged by who reads them."""
    many = chosen(1 / 10)
    findings = judged(many, plays=60)
    refused = [finding for finding in findings if finding.scenario is None]
    told = sum(map(tells, refused))
    reading = sorted(finding.cpu_s for finding in findings)
    whole = sorted(at_the_command_line(random.Random(6).sample(many, 60), tmp_path))
    assert len({(finding.data, finding.mutant.setting) for finding in findings}) >= 10_000
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(findings)} mutants: {len(refused)} refused, {len(findings) - len(refused)} proved right\n"
            f"{100 * told / len(refused):.2f} % of refusals name file, key and what is allowed\n"
            f"reading, CPU s: median {reading[len(reading) // 2]:.4f}, worst {reading[-1]:.3f}\n"
            f"whole command, CPU s ({len(whole)} of them): median {whole[len(whole) // 2]:.2f}, worst {whole[-1]:.2f}\n"
        )
