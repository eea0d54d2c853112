"""Kernels out of plain functions: linking, digests, and a cache that notices edits and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import types

import numba
import pytest

from engine import kernel
from engine.kernel import compiled, kernel_digest
from tests.kit.places import ROOT

MODULE = """
    from typing import NamedTuple

    WEIGHT = 3.0

    class Options(NamedTuple):
        scaled: float

    def scaled(x):
        return WEIGHT * x

    def apart(x):
        return x - 1.0

    def total(x, options):
        # {comment}
        return scaled(x) + options.scaled
"""
PROGRAM = """
    import json
    import fresh_rules
    from engine.kernel import compiled, kernel_digest

    kernel = compiled(fresh_rules.total)
    value = kernel(2.0, fresh_rules.Options(1.0))
    hits = sum(kernel.stats.cache_hits.values())
    print(json.dumps([value, hits, kernel_digest(fresh_rules.total)]))
"""


def in_a_fresh_process(folder, text):
    """Value, number of kernels that came from the cache, and digest, with this text as the module of rules."""
    folder.joinpath("fresh_rules.py").write_text(textwrap.dedent(text), encoding="utf-8")
    environment = {
        **os.environ,
        "FLOWDIAL_CACHE_DIR": str(folder / "kernels"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled")
def test_a_fresh_process_loads_kernels_and_an_edit_recompiles_them(tmp_path):
    first = in_a_fresh_process(tmp_path, MODULE)
    assert first[0] == 7.0
    assert first[1] == 0
    again = in_a_fresh_process(tmp_path, MODULE)
    assert again == [7.0, 1, first[2]]
    elsewhere = MODULE.replace("{comment}", "another comment").replace("x - 1.0", "x - 2.0")
    assert in_a_fresh_process(tmp_path, elsewhere) == again
    for file in (tmp_path / "kernels").iterdir():
        file.write_bytes(file.read_bytes()[:-40])
    assert in_a_fresh_process(tmp_path, MODULE)[0] == 7.0
    edited = in_a_fresh_process(tmp_path, MODULE.replace("WEIGHT = 3.0", "WEIGHT = 4.0"))
    assert edited[0] == 9.0
    assert edited[2] != first[2]
    assert edited[1] == 0


def rules(text):
    """The functions of a piece of program text."""
    space = {"__name__": "rules"}
    exec(compile(textwrap.dedent(text), "<rules>", "exec"), space)
    return space


HELPERS = """
    STEP = 1.5
    TABLE = (1, 2)
    def helper(x):
        return x + STEP
    def rule(x):
        return helper(x) * TABLE[0]
    def maker(n):
        def inner(x):
            return x + n
        return inner
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("STEP = 1.5", "STEP = 1.6"),
        ("TABLE = (1, 2)", "TABLE = (1, 3)"),
        ("return x + STEP", "return x - STEP"),
        ("helper(x) * TABLE", "helper(x) + TABLE"),
    ],
)
def test_the_digest_changes_with_what_a_function_means(old, new):
    assert kernel_digest(rules(HELPERS)["rule"]) != kernel_digest(rules(HELPERS.replace(old, new))["rule"])


def test_the_digest_covers_what_is_read_of_a_module():
    text = "def rule(x):\n    return x * tuning.WORTH"
    one, two = types.ModuleType("tuning"), types.ModuleType("tuning")
    vars(one).update(WORTH=1.0, OTHER=5.0)  # OTHER is not read
    vars(two).update(WORTH=2.0)
    found = []
    for tuning in (one, two):
        space = rules(text)
        space["tuning"] = tuning
        found.append(kernel_digest(space["rule"]))
    assert found[0] != found[1]


def test_the_digest_covers_the_fields_of_named_constants():
    text = """
        from typing import NamedTuple
        class Cfg(NamedTuple):
            a: float
            b: float
        CFG = Cfg(1.0, 10.0)
        def rule(x):
            return x * CFG.a
    """
    turned = text.replace("a: float", "c: float").replace("b: float", "a: float").replace("c: float", "b: float")
    assert kernel_digest(rules(text)["rule"]) != kernel_digest(rules(turned)["rule"])


def test_the_digest_tells_helpers_of_one_name_apart():
    def made(third):
        space = rules("def rule(x):\n    return f1(x) + f2(x) + f3(x)")
        first = rules("def h(x):\n    return x + 1")["h"]
        second = rules("def h(x):\n    return x * 2")["h"]
        space.update(f1=first, f2=second, f3=(first, second)[third])
        return space["rule"]

    assert kernel_digest(made(0)) != kernel_digest(made(1))


def test_the_digest_covers_closures():
    space = rules(HELPERS)
    assert kernel_digest(space["maker"](1)) != kernel_digest(space["maker"](2))
    assert kernel_digest(space["maker"](1)) == kernel_digest(space["maker"](1))


def test_the_digest_leaves_comments_and_strangers_out():
    commented = HELPERS.replace("return x + STEP", "return x + STEP  # as before")
    strangers = HELPERS + "    OTHER = 5\n    def other(x):\n        return OTHER\n"
    assert (
        kernel_digest(rules(HELPERS)["rule"])
        == kernel_digest(rules(commented)["rule"])
        == kernel_digest(rules(strangers)["rule"])
    )


def test_an_attribute_is_no_use_of_the_function_of_that_name():
    space = rules(
        """
        from typing import NamedTuple
        class Options(NamedTuple):
            start: float
        def start(options):
            return options.start
        """
    )
    assert compiled(space["start"])(space["Options"](2.5)) == 2.5


def test_helpers_may_come_by_name_and_by_closure():
    space = rules(HELPERS)
    assert compiled(space["rule"])(2.0) == space["rule"](2.0) == 3.5
    assert compiled(space["maker"](4.0))(2.0) == 6.0


def test_a_function_is_compiled_once():
    rule = rules(HELPERS)["rule"]
    assert compiled(rule) is compiled(rule)


def test_without_the_compiler_the_plain_function_comes_back(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    rule = rules(HELPERS)["rule"]
    assert compiled(rule) is rule


def test_only_plain_functions_compile():
    with pytest.raises(TypeError, match="only plain functions"):
        kernel._linked(len, compiled)
