"""Likely slips of a hand that writes TOML for the first time: what was probably meant, and how it is spelt.

Each function returns the end of a sentence, such as "; write 0.8, a share of 1", or an empty text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

_NUMBER: Final = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PERCENT: Final = re.compile(rf"(?P<number>{_NUMBER})\s*%")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_LEADING_ZEROS: Final = re.compile(r"(?P<sign>[+-]?)0+(?P<rest>\d.*)")
_WITH_UNIT: Final = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-zµ]+)")
_CURLY: Final = re.compile("[“”„‘’«»]")
_WORDS: Final = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_KEY_AND_VALUE: Final = re.compile(r"\s*(?P<key>[A-Za-z0-9_.\"-]+)\s*(?P<sign>[=:])\s*(?P<value>.*?)\s*(?:#.*)?$")


def slip_of_line(line: str) -> str:
    """What a line that is no TOML was probably meant to be.

    Args:
        line: the line of the file where the parser stopped.

    Returns:
        The end of a sentence, or an empty text.
    """
    header = re.match(r"\s*\[+\s*(cohort)\s*\]+", line)
    if header:
        return f"; write [[{header[1]}]], with two brackets on each side, before each of them"
    parts = _KEY_AND_VALUE.match(line)
    if parts is None:
        return ""
    key, value = parts["key"], parts["value"]
    if not value.isprintable():
        return ""  # an advice repeats the value, and a terminal would act on it
    if parts["sign"] == ":":
        return f"; write {key} = {value}" if value else f"; write [{key}]"
    if _CURLY.search(value):
        return f"; write straight quotes: {key} = {_CURLY.sub(chr(34), value)}"
    meant = _meant(value.rstrip(";,").rstrip())
    return f"; write {key} = {meant}" if meant != value and meant else ""


def _meant(value: str) -> str:
    """The spelling in TOML of a value; an empty text where it is not clear."""
    if percent := _PERCENT.fullmatch(value):
        return _share(percent["number"])
    if _THOUSANDS.fullmatch(value):
        return value.replace(",", "")
    if _DECIMAL_COMMA.fullmatch(value):
        return value.replace(",", ".")
    if value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if value.startswith("."):
        return f"0{value}" if re.fullmatch(_NUMBER, value) else ""
    if zeros := _LEADING_ZEROS.fullmatch(value):
        return f"{zeros['sign']}{zeros['rest']}" if re.fullmatch(_NUMBER, value) else ""
    if re.fullmatch(r"\d[\d_]*\.", value):
        return f"{value}0"
    if re.fullmatch(_NUMBER, value):
        return value
    if re.fullmatch(r"[A-Za-z][\w .-]*", value):
        return f'"{value}"'
    unit = _WITH_UNIT.fullmatch(value)
    return unit["number"] if unit else ""


def _share(percent: str) -> str:
    return f"{float(percent.replace('_', '')) / 100:.10g}"


def slip_of_value(value: Any, rule: str, key: str = "") -> str:
    """What a value of the wrong kind or size was probably meant to be.

    Args:
        value: what the file has.
        rule: the sentence that refuses it.
        key: the name of the key.

    Returns:
        The end of a sentence, or an empty text.
    """
    whole = rule.startswith("must be a whole number")
    if not whole and not re.match(r"must be a (?:finite )?number", rule):
        return _slip_of_form(value, rule)
    if isinstance(value, float) and whole and value.is_integer():
        return f"; write {value:.0f}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        upper = re.search(r" (?:to|most|below) ([\d.e+-]+)", rule)
        share = upper is not None and 0.5 < float(upper[1].rstrip(".")) <= 1.0
        return f"; {value:g} % is written {_share(str(value))}" if share and 2.0 <= value <= 100.0 else ""
    if not isinstance(value, str):
        return ""
    if key == "skill":
        return "; write a number: -1 for weak players, 0 for the median player, 1 for players better than 84 %"
    meant = _meant(value.strip())
    if not re.fullmatch(_NUMBER, meant) or (whole and not _is_whole(meant)):
        return ""
    return f"; write {meant}, without quotes"


def _is_whole(text: str) -> bool:
    return math.isfinite(float(text.replace("_", ""))) and float(text.replace("_", "")).is_integer()


def _slip_of_form(value: Any, rule: str) -> str:
    if rule.startswith("must be a text") and isinstance(value, int | float):
        return f'; write "{str(value).lower()}", with quotes'
    return ""


def slip_of_shares(shares: Sequence[float]) -> str:
    """What shares that do not sum to 1 were probably meant to be: rounded too far.

    Args:
        shares: those of all cohorts.

    Returns:
        The end of a sentence, or an empty text.
    """
    total = math.fsum(shares)
    missing = 1.0 - total
    if abs(missing) < 0.01 * len(shares) and shares[-1] + missing > 0.0:
        return f"; write {shares[-1] + missing:.10g} for the last one, so that nothing is lost by rounding"
    return ""


def slip_of_table(key: str, value: Any, rule: str) -> str:
    """What a key was probably meant to be that has a table for a list of tables, or a value for a table.

    Args:
        key: the name of the key.
        value: what the file has.
        rule: the sentence that refuses it.

    Returns:
        The end of a sentence, or an empty text.
    """
    if rule.startswith("must be a list") and isinstance(value, dict):
        return f"; write [[{key}]], with two brackets on each side, since there may be several"
    if rule.startswith("must be a table") and not isinstance(value, dict | list):
        return f"; write a line [{key}], and the keys of the table below it"
    return ""


def slip_of_key(key: str, value: Any, *, tables: Collection[str], traits: Collection[str]) -> str:
    """Where a key that its table does not know was probably meant to stand.

    Args:
        key: the name of the key.
        value: what the file has.
        tables: the tables of a scenario.
        traits: the traits of players, if the key stands in a cohort.

    Returns:
        The end of a sentence, or an empty text.
    """
    if key in traits:
        return f"; {key} is a trait, so write it below a line [cohort.traits]"
    if key in tables:
        return f"; {key} is a table of its own, so write a line [{key}], and its keys below that line"
    return ""
