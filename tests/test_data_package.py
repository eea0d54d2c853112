"""The page and the data package say what the tables hold."""

from __future__ import annotations

from pathlib import Path

from engine import record
from sims.data_package import SUMMARY, columns_page, package
from sims.files import Content
from tests.small import setup

PAGE = Path(__file__).resolve().parents[1] / "docs" / "columns.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == columns_page(), "python -m sims.data_package > docs/columns.md"


def test_the_package_describes_every_column():
    choice = setup(game="gap_runner")
    sheets = [
        record.attempt_sheet(choice, ("mean",)),
        record.player_sheet(choice),
        record.session_sheet(choice),
        SUMMARY,
    ]
    found = package("name", "Title", [(sheet, f"{sheet.name}.csv", Content(5, "ab"), 3) for sheet in sheets])
    assert [resource["name"] for resource in found["resources"]] == ["attempts", "players", "sessions", "summary"]
    for sheet, resource in zip(sheets, found["resources"], strict=True):
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        assert list(fields) == [column.name for column in sheet.columns]
        assert set(resource["schema"]["primaryKey"]) <= set(fields)
        assert (resource["bytes"], resource["hash"], resource["rowCount"]) == (5, "sha256:ab", 3)
        for key in resource["schema"].get("foreignKeys", []):
            parent = next(other for other in found["resources"] if other["name"] == key["reference"]["resource"])
            assert parent["schema"]["primaryKey"] == key["reference"]["fields"]
    attempts = {field["name"]: field for field in found["resources"][0]["schema"]["fields"]}
    assert attempts["outcome"]["constraints"] == {"required": True, "enum": ["won", "lost", "timed_out", "failed"]}
    assert attempts["param_speed"]["unit"] == "m/s"
    assert attempts["param_hearts"] == {
        "name": "param_hearts",
        "type": "integer",
        "description": "mistakes that end the attempt",
        "unit": "1",
        "constraints": {"required": True, "minimum": 1, "maximum": 4},
    }
    assert attempts["belief_mean"].get("constraints") is None
