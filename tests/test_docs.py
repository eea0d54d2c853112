from pathlib import Path

from engine.scenario import parse, setup_of
from sims.catalog import Catalog

DOCS = Path(__file__).parents[1] / "docs"


def test_the_example_in_the_scenario_page_is_a_scenario():
    text = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    catalog = Catalog()
    setup = setup_of(parse(example.encode(), "scenarios.md", catalog), catalog)
    assert setup.cohorts == ("newcomers",)
    assert setup.space.held["hearts"] == 2.0
