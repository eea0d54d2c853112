"""Charts: where numbers stand, what is cut off, and that words stay words."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from sims.html.charts import ChartPoint, Line, Stretch, histogram, line_chart, lines_chart, log_line_chart
from sims.html.forest_plot import Estimate, forest_plot, shape_key
from sims.html.legend import key, line_key
from sims.html.markup import escaped, joined, tag
from sims.html.page import document, figure, section, table
from sims.html.row_charts import stacked_bars, strips
from sims.html.shaded_table import SHADES, ShadedRow, shaded_table
from sims.html.style import STYLE

LINE = [ChartPoint(0.0, 0.2, 0.1, 0.3), ChartPoint(5.0, 0.6, 0.5, 0.7), ChartPoint(10.0, 0.4, 0.3, 0.5)]
LABELS = ("attempt", "win rate")
EDGES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
NASTY = "<b>&\"'=cmd()@x</b>"


def first(text, pattern):
    """The groups of the first match."""
    found = re.search(pattern, text)
    assert found is not None
    return found.groups()


def numbers(text, pattern):
    return [float(found) for found in re.findall(pattern, text)]


def ticks(picture):
    """The words on both axes, those of the y axis first."""
    return re.findall(r'class="(?:end|middle)">([^<]*)<', picture)


def test_a_line_goes_through_its_points_in_the_measure_of_its_ticks():
    picture = line_chart(LINE, "rate", LABELS, (0.0, 1.0))
    (path,) = first(picture, r'<path d="M([^"]*)" class="line">')
    points = [tuple(map(float, pair.split())) for pair in path.split("L")]
    width, height = map(float, first(picture, r'<svg x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"'))
    expected = [(point.x / 10.0 * width, (1.0 - point.y) * height) for point in LINE]
    for found, wanted in zip(points, expected, strict=True):
        assert found == pytest.approx(wanted, abs=0.051)
    assert ticks(picture) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0", "0", "2", "4", "6", "8", "10"]
    assert "<title>attempt 5: 0.6 (0.5 to 0.7)</title>" in picture


def test_an_axis_ends_where_it_is_told_to():
    picture = line_chart(LINE, "rate", LABELS, (0.0, 1.0), (0.5, 0.75), end=20.0)
    (path,) = first(picture, r'<path d="M([^"]*)" class="line">')
    width = float(first(picture, r'<svg x="[^"]*" y="[^"]*" width="([^"]*)"')[0])
    assert float(path.split("L")[-1].split()[0]) == pytest.approx(0.5 * width, abs=0.051)
    assert ticks(picture)[6:] == ["0", "5", "10", "15", "20"]
    (band,) = re.findall(r'<rect [^>]*class="wanted">', picture)
    assert numbers(band, r' width="([^"]*)"') == [width]


def test_a_band_and_stretches_lie_where_they_are_wanted():
    whole = line_chart(LINE, "rate", LABELS, (0.0, 1.0), (0.5, 0.75))
    height = float(first(whole, r'height="([^"]*)" viewBox="0 0 [0-9.]* [0-9.]*"><rect')[0])
    (band,) = re.findall(r'<rect [^>]*class="wanted">', whole)
    assert numbers(band, r' height="([^"]*)"') == pytest.approx([0.25 * height], abs=0.06)
    several = [Stretch(0.0, 5.0, 0.5, 0.75), Stretch(5.0, 10.0, 0.1, 0.2)]
    parts = re.findall(r'<rect [^>]*class="wanted">', line_chart(LINE, "rate", LABELS, (0.0, 1.0), stretches=several))
    assert [numbers(part, r' height="([^"]*)"')[0] for part in parts] == pytest.approx(
        [0.25 * height, 0.1 * height], abs=0.06
    )


def test_what_lies_outside_is_cut_off_by_a_picture_in_the_picture():
    picture = line_chart([ChartPoint(0.0, 5.0, 4.0, 6.0)], "rate", LABELS, (0.0, 1.0))
    assert picture.count("<svg") == 2
    assert "overflow" not in STYLE.split("@media print")[0].split(".chart{")[1].split("}")[0]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((0.6, 0.9), ["0.6", "0.7", "0.8", "0.9"]),
        ((0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((-3.1, 4.2), ["-2", "0", "2", "4"]),
        ((0.0123, 0.0187), ["0.014", "0.016", "0.018"]),
        ((0.0, 123456.0), ["0", "50,000", "100,000"]),
        ((1.0, 1.0), ["0.6", "0.8", "1.0", "1.2", "1.4"]),
    ],
)
def test_ticks_are_round_and_have_equal_digits(span, words):
    line = [ChartPoint(0.0, span[0], span[0], span[1])]
    found = re.findall(r'class="grid"></path><text [^>]*>([^<]*)<', line_chart(line, "rate", LABELS, span))
    assert found == words


def test_no_line_without_points():
    with pytest.raises(ValueError, match="one point or more"):
        line_chart([], "rate", LABELS, (0.0, 1.0))
    with pytest.raises(ValueError, match="one point or more"):
        log_line_chart([], "rate", LABELS, (0.0, 1.0), alike=(1.0, 2.0), chosen=1.0)


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis():
    line = [ChartPoint(x, 0.5, 0.4, 0.6) for x in (0.01, 0.1, 1.0, 10.0)]
    picture = log_line_chart(line, "rate", LABELS, (0.0, 1.0), alike=(0.1, 1.0), chosen=1.0)
    dots = numbers(picture, r'<circle cx="([^"]*)"')
    assert [b - a for a, b in pairwise(dots)] == pytest.approx([dots[1] - dots[0]] * 3, abs=0.11)
    assert ticks(picture)[6:] == ["0.01", "0.03", "0.1", "0.3", "1", "3", "10"]
    band = [float(found) for found in first(picture, r'<rect x="([^"]*)" y="0" width="([^"]*)"')]
    assert band == pytest.approx([dots[1], dots[2] - dots[1]], abs=0.11)
    assert float(first(picture, r'd="M([0-9.]*) 0V[0-9.]*" class="limit"')[0]) == dots[2]


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.02, 0.3), ["0.02", "0.05", "0.1", "0.2"]),
        ((0.001, 0.8), ["0.001", "0.003", "0.01", "0.03", "0.1", "0.3"]),
        ((1e-6, 0.5), ["1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round_and_never_too_many(ends, words):
    line = [ChartPoint(x, 0.5, 0.4, 0.6) for x in ends]
    picture = log_line_chart(line, "rate", LABELS, (0.0, 1.0), alike=ends, chosen=ends[0])
    assert re.findall(r'class="middle">([^<]*)<', picture) == words


def test_bars_have_the_widths_of_their_shares_and_numbers_only_where_there_is_room():
    picture = stacked_bars([("one", [0.5, 0.45, 0.05]), ("two", [0.0, 0.0, 1.0])], ["a", "b", "c"])
    widths = numbers(picture, r'width="([^"]*)" height="[^"]*" class="part"')
    assert widths == pytest.approx([169.0, 152.1, 16.9, 0.0, 0.0, 338.0], abs=0.06)
    assert re.findall(r'class="on-part">([^<]*)<', picture) == ["50 %", "45 %", "100 %"]
    assert re.findall(r'class="key (part\d)"></span>(\w)', picture) == [("part0", "a"), ("part1", "b"), ("part2", "c")]


def test_a_strip_is_fullest_where_most_lies_and_empty_where_nothing_does():
    picture = strips([("one", [0.0, 0.2, 0.8]), ("two", [0.4, 0.6, 0.0])], "loss", "losses")
    assert numbers(picture, r'fill-opacity="([^"]*)"') == [0.25, 1.0, 0.5, 0.75]
    assert "66.6667 to 100 % of the way: 80.0 % of losses" in picture


def test_a_histogram_has_a_bar_for_each_share():
    picture = histogram([0.0, 0.25, 0.75], [0.0, 0.2, 0.4, 0.6], "rate", LABELS, (0.3, 0.5))
    heights = numbers(picture, r'height="([^"]*)" class="bar"')
    assert heights[1] == pytest.approx(3.0 * heights[0], abs=0.3)
    assert ticks(picture)[:5] == ["0 %", "20 %", "40 %", "60 %", "80 %"]
    assert picture.count('class="wanted"') == 1


def test_lines_have_their_names_below_and_differ_in_more_than_colour():
    picture = lines_chart([Line("a", [(1.0, 1.0), (9.0, 0.5)]), Line("b", [(1.0, 1.0), (9.0, 0.1)])], LABELS)
    drawn = re.findall(r'class="(line dash\d)" style="color:var\(--(line\d)\)"', picture)
    assert drawn == [("line dash0", "line0"), ("line dash1", "line1")] * 2  # in the picture, and in the legend
    assert re.findall(r"</svg>(\w)</span>", picture) == ["a", "b"]


def test_words_stay_words_everywhere():
    pictures = [
        line_chart(LINE, "rate", (NASTY, NASTY), (0.0, 1.0)),
        lines_chart([Line(NASTY, [(0.0, 0.0)])], (NASTY, NASTY)),
        histogram([1.0], [0.0, 1.0], "rate", (NASTY, NASTY)),
        stacked_bars([(NASTY, [1.0])], [NASTY]),
        strips([(NASTY, [1.0])], "loss", NASTY),
        key("rate", NASTY),
        line_key("limit", NASTY),
        shape_key("line0", "circle", NASTY),
        forest_plot([Estimate(NASTY, 0.5, 0.4, 0.6, "line0", "circle")], (0.0, 1.0), ".2f"),
        shaded_table([NASTY], [ShadedRow(NASTY, [1.0], [NASTY])], EDGES, apart=()),
    ]
    parts = [
        *pictures,
        section(NASTY, note=NASTY),
        table([NASTY, NASTY], [(NASTY, NASTY)]),
        figure(NASTY, tag("p"), NASTY),
    ]
    page = document(NASTY, *parts)
    assert "<b>" not in page
    assert page.count(escaped(NASTY)) >= 20


def test_colours_are_names_of_the_style_sheet():
    names = set(re.findall(r"(--[a-z0-9-]+):", STYLE))
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", STYLE)) <= names
    for mode in ("@media (prefers-color-scheme:dark)", "@media print"):
        changed = set(re.findall(r"(--[a-z0-9-]+):", STYLE[STYLE.index(mode) :].split("}")[0]))
        light = {name for name in names if not name.startswith(("--part", "--on-part"))}
        assert light - changed <= {"--good-back", "--off-back", "--open-back"} - changed, mode


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[j : j + 2], 16) / 255.0 for j in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", [":root{", "@media (prefers-color-scheme:dark)", "@media print"])
def test_text_can_be_read_in_every_mode(mode):
    """Contrast by WCAG 2.2: 4.5 for text, 3 for lines and bars."""
    sheet = STYLE[STYLE.index(mode) :]
    colours = dict(re.findall(r"(--[a-z0-9-]+):(#[0-9a-f]{3,6})", sheet[: sheet.index("}")]))

    def contrast(one, two):
        low, high = sorted((luminance(colours[one]), luminance(colours[two])))
        return (high + 0.05) / (low + 0.05)

    for text in ("--ink", "--quiet", "--off"):
        assert contrast(text, "--paper") >= 4.5
        assert contrast(text, "--card") >= 4.5
    for text in ("--good", "--off", "--open"):
        assert contrast(text, f"{text}-back") >= 4.5
    for shade in range(SHADES):
        assert contrast("--on-dark-heat" if shade > 4 else "--on-heat", f"--heat{shade}") >= 4.5, shade
        assert f".heat{shade}{{background:var(--heat{shade})}}" in STYLE
    for line in ("--rate", "--dial", "--belief", "--loss", *(f"--line{j}" for j in range(7))):
        assert contrast(line, "--paper") >= 3.0, line


def test_markup_is_put_together_without_being_escaped_twice():
    assert joined(tag("p", "a < b"), "c & d") == "<p>a &lt; b</p>c &amp; d"
    assert escaped(None) == ""
