"""A manifest that anybody may have written: it is refused in one line, or whoever reads it can do their work."""

from __future__ import annotations

import copy
import json
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError, create_model

from engine.errors import RunFolderError
from sims.playback.row_choice import choose_row
from sims.reports.report import write_report
from sims.run_folder.files import write_sealed
from sims.run_folder.folder import MANIFEST, PARTIAL, START, take_up
from sims.run_folder.json_types import STRICT, Count, Finite, Name, Scalar, Text, TextLine, place_of
from sims.run_folder.manifest_schema import fault_of
from sims.runs.execution import resume
from sims.runs.export import export
from sims.runs.verification import verify
from tests.kit.places import OLD_RUNS

pytestmark = pytest.mark.thorough

OLD = OLD_RUNS / "format_1"
WHOLE = {name: item for name, item in json.loads((OLD / MANIFEST).read_bytes()).items() if name != "checksum"}
NASTY = [None, "", "x", "../x", -1, 0, 1.5, 10**30, True, [], {}, [1], [[1]], {"a": 1}, math.nan, 1e308, "\x1b[31m\n"]
GONE = object()
USED = 40  # of the manifests that are accepted, and of those that are not, so many are given to every command


def places(value, path=()):
    """Paths to all parts of a manifest; of the long lists of counts only to the first and the last item."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list) and value:
        for i in sorted({0, len(value) - 1}):
            yield from places(value[i], (*path, i))


def mutant(path, value):
    """The manifest with something else in one place, or without it."""
    found = at = copy.copy(WHOLE)
    for part in path[:-1]:
        at[part] = copy.copy(at[part])
        at = at[part]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return found


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "run"))


def write(folder, manifest):
    """Without a checksum, as people may write one."""
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def again(folder):
    """Resume a run that was stopped just before it got its name."""
    stopped = folder.with_name(f"again{PARTIAL}")
    shutil.copytree(folder, stopped)
    return resume(stopped, workers=1)


USES: dict[str, Callable[[Path], Any]] = {
    "verify": lambda folder: verify(folder, rows=2),
    "report": write_report,
    "replay": choose_row,
    "export": lambda folder: export(folder, "csv", folder.with_name("exported")),
    "resume": again,
}


def refusal(use, folder):
    """The line with which a folder is refused; None when it is not. Any other exception is a fault."""
    try:
        assert use(folder) not in (1, 2, 3, 5)
    except RunFolderError as fault:
        return str(fault)
    return None


def test_whatever_stands_in_a_manifest_is_refused_in_one_line_or_can_be_used(folder, capsys):
    found: dict[bool, list[tuple[Any, Any]]] = {True: [], False: []}
    for path in [path for path in places(WHOLE) if path]:
        for value in (*NASTY, GONE):
            line = fault_of(mutant(path, value), "run")
            assert line is None or line.isprintable()
            found[line is None].append((path, value))
    drawn = random.Random(5)
    for accepted, mutants in found.items():
        for path, value in drawn.sample(mutants, USED):
            write(folder, mutant(path, value))
            for use in USES.values():
                line = refusal(use, folder)
                assert accepted or line is not None
                assert line is None or line.isprintable()
            for made in ("exported", "again", f"again{PARTIAL}"):
                shutil.rmtree(folder.with_name(made), ignore_errors=True)


@pytest.mark.parametrize(
    "text",
    ["", "7", "[]", "null", '"x"', "[" * 100_000, '{"format_version": []}', '{"format_version": NaN}', "{}", "\xff"],
)
@pytest.mark.parametrize("use", USES)
def test_what_is_no_manifest_is_refused_in_one_line(folder, use, text):
    (folder / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(RunFolderError) as caught:
        USES[use](folder)
    assert str(caught.value).isprintable()
    assert MANIFEST in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("rows",), "many", "rows is not as a run writes it"),
        (("rows",), True, "rows is not as a run writes it"),
        (("knobs", 1, "low"), None, "knobs.1.low is not as a run writes it"),
        (("knobs", 0, "low"), 4.0, "the ends of difficulty are not as a run writes them"),
        (("knobs", 0, "scale"), "choice", "the ends of difficulty are not as a run writes them"),
        (("files", "../../etc"), {"bytes": 1, "sha256": "0"}, "files.'../../etc' is not as a run writes it"),
        (("files", "attempts.csv", "bytes"), 1.0, "files.attempts.csv.bytes is not as a run writes it"),
        (("targets", "old"), [], "targets.old is not as a run writes it"),
        (("targets", "old"), [[0.1, 0.2], [0.1, 0.2]], "cohorts, targets and tallies do not belong together"),
        (("targets", "old"), [0.65, 0.55], "targets.old is not as a run writes it"),
        (("targets",), {}, "the manifest must name cohorts, targets, scope and replicas, got KeyError('new')"),
        (("cohorts",), ["new"], "cohorts, targets and tallies do not belong together"),
        (("cohorts",), ["new", "new"], "cohorts, targets and tallies do not belong together"),
        (("format",), "xlsx", "format is not as a run writes it"),
        (("tallies", "scheme"), None, "tallies.scheme is not as a run writes it"),
        (("tallies", "scheme", "attempt_edges", 0), 99, "tallies.scheme.attempt_edges is not as a run writes it"),
        (("tallies", "judged"), [], "the tallies need judged of shape"),
        (("self_test",), 7, None),
        (("title",), None, None),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(path, value, fault):
    found = fault_of(mutant(path, value), "run")
    assert found == fault if fault is None else str(found).startswith(fault)


def test_a_manifest_as_it_was_written_is_accepted():
    assert fault_of(WHOLE, "run") is None
    assert fault_of(WHOLE, "study") == "seconds is not as a study writes it"


@pytest.mark.parametrize(
    ("value", "form", "place"),
    [
        ({"a": [1, None]}, list[int | None], None),
        ({"a": [1, "x"]}, list[int | None], "a.1"),
        ({}, int, "a"),
        (7, int, "its form"),
        ({"a": {"\n": {}}}, dict[str, list[int]], "a.\\n"),
        ({"a": {"b": 1}}, dict[TextLine, int], None),
        ({"a": {"b": "x"}}, dict[TextLine, int], "a.b"),
        ({"a": {"\n": 1}}, dict[TextLine, int], "a.'\\n'"),
        ({"a": 1}, dict[TextLine, int], "a"),
        ({"a": True}, Count, "a"),
        ({"a": 2**63}, Count, "a"),
        ({"a": 2**63 - 1}, Count, None),
        ({"a": 10**100}, Finite, None),
        ({"a": 10**101}, Finite, "a"),
        ({"a": math.nan}, Finite, "a"),
        ({"a": False}, Finite, "a"),
        ({"a": ""}, TextLine, None),
        ({"a": ""}, Name, "a"),
        ({"a": "\n"}, Text, None),
        ({"a": "\x1b[31m"}, TextLine, "a"),
        ({"a": [None]}, Scalar, "a"),
        ({"a": None}, Scalar, None),
    ],
)
def test_a_value_fits_its_model_or_the_place_is_named(value, form, place):
    model = create_model("Model", __config__=STRICT, a=(form, ...))
    if place is None:
        model.model_validate(value)
        return
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    assert place_of(caught.value) == place


@pytest.mark.parametrize("value", NASTY)
def test_a_start_that_says_anything_is_refused_in_one_line(tmp_path, value):
    names = ("flowdial_version", "name", "scenario", "scenario_digest", "format", "code", "versions", "study")
    partial = tmp_path / f"run{PARTIAL}"
    partial.mkdir()
    for name in names:
        start = {**dict.fromkeys(names, "x"), "format_version": 1, "code": {}, "versions": {}, "study": {}}
        write_sealed(partial / START, {**start, "format": "csv", name: value})
        with pytest.raises(RunFolderError) as caught:
            resume(partial, workers=1)
        assert str(caught.value).isprintable()
    take_up(partial).close()
