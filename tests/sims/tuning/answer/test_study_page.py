"""report.html of a study: its words as golden texts, a function of the study, and safe whatever a name is."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from engine.parameters import Knob
from sims.run_folder.folder import Start
from sims.tuning.answer.answer import answer_of
from sims.tuning.answer.sentences import answer_text
from sims.tuning.answer.study_page import study_page
from sims.tuning.journal import TellRecord
from sims.tuning.search.counts import Tell
from sims.tuning.study import FINAL_RACE, SEARCH, StudyLimits, StudyRecord
from sims.wording import UNCALIBRATED
from tests.kit.golden import check_golden
from tests.kit.pages import without_own_script
from tests.kit.studies import FAR, GOOD, KNOBS, MOVED, SEGMENTS, counted, problem, rate, record, tells_of
from tests.sims.tuning.answer.situations import SITUATIONS, STAGES

NASTY = "<script>alert('1')</script> & <b>bold</b>"
BEGUN = Start(
    format_version=1,
    flowdial_version="0.0",
    name="known",
    scenario="format = 1\n",
    scenario_digest="abc",
    format="csv",
    code={"game": "def"},
    versions={"numpy": "2"},
    study={"method": "pooled", "attempts": 100_000, "staged": True, "level": None, "earlier": []},
)


class Page(HTMLParser):
    """Tags and texts of a page, without what is in its head."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(without_own_script(text).split("</head>")[1])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def whole() -> StudyRecord:
    """A whole study by hand."""
    return record(counted(FAR, *GOOD), counted(MOVED, rate(0.68), rate(0.8)), tells=tells_of(1), stages=STAGES[:1])


def without_charts(text: str) -> str:
    return re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_the_words_of_the_page(request, whole):
    text = study_page(answer_of(whole), BEGUN)
    assert text == study_page(answer_of(whole), BEGUN)
    assert "nan" not in text
    assert len(text) < 300_000
    words = "\n".join(Page(without_charts(text)).words)
    check_golden(request, "tuning/report", words.replace(UNCALIBRATED, "(UNCALIBRATED)"))


def test_the_text_of_the_terminal(request, whole):
    check_golden(request, "tuning/terminal", answer_text(answer_of(whole)).replace(UNCALIBRATED, "(UNCALIBRATED)"))


def test_only_a_study_without_a_clock_promises_the_same_bytes(whole):
    assert "give the same bytes" in study_page(answer_of(whole), BEGUN)
    assert "give the same bytes" not in study_page(answer_of(replace(whole, limits=StudyLimits(100_000, 60.0))), BEGUN)


def test_the_page_tells_of_a_race_only_where_one_was_run(whole):
    assert "In the play-off all of them" in study_page(answer_of(whole), BEGUN)
    assert "In the play-off all of them" not in study_page(
        answer_of(replace(whole, spent=whole.spent | {FINAL_RACE: 0})), BEGUN
    )


def test_a_search_that_never_improves_has_a_sentence_and_no_chart(whole):
    assert "Best so far" in study_page(answer_of(whole), BEGUN)
    same = [TellRecord(SEARCH, Tell(MOVED, (100, 100), (60, 70), block)) for block in range(3)]
    text = study_page(answer_of(replace(whole, history=tuple(same))), BEGUN)
    assert "Best so far" not in text
    assert "no chart" in text


def test_the_page_of_nothing_measured_is_a_page_too():
    text = study_page(answer_of(SITUATIONS["nothing_measured"]()), BEGUN)
    assert "not measured" in text
    assert "nan" not in text.split("</style>")[1]


def test_nasty_names_stay_text(whole):
    segments = (SEGMENTS[0]._replace(name=NASTY), SEGMENTS[1])
    knobs = (Knob("gap_width", 80.0, 200.0, 120.0, "<b>px</b>"), *KNOBS[1:])
    about = problem(segments, knobs, title=NASTY)
    text = study_page(answer_of(replace(whole, problem=about)), BEGUN)
    read = Page(text)
    assert not {"script", "b", "img", "link", "iframe"} & set(read.tags)
    assert " ".join(read.words).count("alert('1')") >= 4
    assert re.search(r"https?:|@import|url\(", without_own_script(text)) is None
