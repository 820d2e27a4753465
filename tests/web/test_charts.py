from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader
from lxml import etree
from markupsafe import Markup

from web import charts, figures, svg
from web.charts import Bar, bars, columns, heat, month, spark
from web.figures import PERCENT, Chart, as_csv
from web.heat import STEPS, steps

STATIC = Path(charts.__file__).parent / "static"
MONTHS = [month(f"{year}-{m:02d}") for year in range(2022, 2027) for m in range(1, 13)]
HOSTILE = '</text><script>alert("&")</script>'
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=80)


def monthly(values: Sequence[float], **more: str) -> list[Bar]:
    return [Bar(MONTHS[n], value, **more) for n, value in enumerate(values)]


def drawings(chart: Chart) -> list[Tag]:
    found = BeautifulSoup(chart.wide + chart.narrow, "lxml").find_all("svg")
    assert len(found) == 2
    return list(found)


def texts(drawing: Tag, kind: str) -> list[str]:
    return [found.get_text() for found in drawing.find_all("text", class_=kind)]


def shown(chart: Chart, **more: object) -> BeautifulSoup:
    loader = FileSystemLoader(Path(charts.__file__).parent / "templates")
    env = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = env.from_string('{% from "_charts.html" import chart %}{{ chart(it, **more) }}')
    return BeautifulSoup(page.render(it=chart, more=more), "lxml")


@pytest.fixture
def grid() -> Chart:
    return heat(
        ["Habitat", "Santé"],
        ["2024", "2025", "2026"],
        [[0, 1, 40], [3, 0, 12]],
        "Le fonds",
        ident="fonds",
        unit="document",
        urls={(0, 2): "/recherche?theme=T01&annee=2026"},
        marks={(1, 2): 4, (0, 0): 0},
        mark="questions sans réponse",
    )


def test_a_chart_is_a_picture_with_a_title_and_a_sentence_that_says_the_main_fact() -> None:
    chart = columns(monthly([12, 30, 7]), "Questions reçues", ident="q", unit="question")
    assert chart.summary == (
        "De janv.\u00a02022 à mars\u00a02022\u00a0: 49\u00a0questions en tout\u202f; "
        "le plus, 30, pour févr.\u00a02022."
    )
    for drawing in drawings(chart):
        assert drawing["role"] == "img"
        named = drawing.find(id=drawing["aria-labelledby"])
        told = drawing.find(id=drawing["aria-describedby"])
        assert (named.name, named.get_text()) == ("title", "Questions reçues")
        assert (told.name, told.get_text()) == ("desc", chart.summary)


def test_no_two_elements_of_a_page_have_one_id(grid: Chart) -> None:
    parts = [Bar(MONTHS[0], 5, part=3)]
    two = columns(parts, "Questions", ident="q", parts=("à temps", "plus tard"))
    ids = re.findall(r' id="([^"]+)"', f"{shown(grid)}{shown(two)}")
    assert len(ids) == len(set(ids)) > 8


def test_columns_are_as_high_as_their_values() -> None:
    for drawing in drawings(columns(monthly([10, 20, 0, 40]), "Q", ident="q")):
        heights = [float(rect["height"]) for rect in drawing.find_all("rect", class_="chart-bar")]
        assert len(heights) == 3
        assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
        assert heights[2] == pytest.approx(4 * heights[0], abs=0.3)
        assert texts(drawing, "chart-value") == ["10", "20", "0", "40"]


def test_the_rest_of_a_column_stands_hatched_on_its_solid_part() -> None:
    bar = Bar(MONTHS[0], 10, part=6)
    for drawing in drawings(columns([bar], "Q", ident="q", parts=("à temps", "plus tard"))):
        solid = drawing.find("rect", class_="chart-bar")
        rest = drawing.find("rect", class_="chart-rest")
        assert float(rest["y"]) + float(rest["height"]) == pytest.approx(float(solid["y"]), abs=0.2)
        assert float(rest["height"]) / float(solid["height"]) == pytest.approx(4 / 6, abs=0.02)
        assert drawing.find("pattern", id=rest["fill"][5:-1])


def test_a_target_is_a_line_at_its_height_named_in_the_legend() -> None:
    chart = columns(monthly([50, 100]), "Part", ident="p", unit=PERCENT, target=(50, "objectif"))
    assert [key.label for key in chart.keys] == ["objectif\u00a0: 50\u00a0%"]
    for drawing in drawings(chart):
        line = drawing.find("line", class_="chart-target")
        column = drawing.find("rect", class_="chart-bar")
        assert float(line["y1"]) == pytest.approx(float(column["y"]), abs=0.2)
        assert texts(drawing, "chart-tick")[:5] == [f"{n}\u00a0%" for n in (0, 25, 50, 75, 100)]


def test_a_target_above_all_values_has_its_place() -> None:
    wide, _ = drawings(columns(monthly([1, 2]), "Q", ident="q", target=(40, "objectif")))
    assert float(wide.find("line", class_="chart-target")["y1"]) >= 0


@given(st.floats(0.01, 1e15))
def test_ticks_are_round_few_and_reach_the_highest_value(highest: float) -> None:
    found = svg.ticks(highest)
    assert found[0] == 0
    assert found[-2] < highest <= found[-1]
    assert 2 <= len(found) <= 6
    assert re.fullmatch("(1|2|25|5)0*", str(found[1]))


def test_months_are_named_as_room_allows_with_each_year_once() -> None:
    wide, narrow = drawings(columns(monthly([n % 9 for n in range(60)]), "Cinq ans", ident="q"))
    named = [text for text in texts(wide, "chart-tick") if not text.isdigit()]
    assert named == ["janv.", "mai", "sept."] * 5
    for drawing in (wide, narrow):
        years = [text for text in texts(drawing, "chart-tick") if re.fullmatch("20..", text)]
        assert years == ["2022", "2023", "2024", "2025", "2026"]
    assert len(texts(narrow, "chart-tick")) < len(texts(wide, "chart-tick"))


def test_sixty_columns_write_the_highest_and_the_last_value_only() -> None:
    values = [10] * 60
    values[20], values[59] = 345, 7
    for drawing in drawings(columns(monthly(values), "Cinq ans", ident="q")):
        assert texts(drawing, "chart-value") == ["345", "7"]
    values[20], values[58] = 10, 345
    for drawing in drawings(columns(monthly(values), "Cinq ans", ident="q")):
        assert texts(drawing, "chart-value") == ["345"], "the two would touch"


def test_very_large_values_are_short_in_the_drawing_and_whole_in_the_table() -> None:
    chart = columns(monthly([1_285_714_285, 2_000_000_000]), "Octets", ident="q", unit="octet")
    wide, _ = drawings(chart)
    assert texts(wide, "chart-value") == ["1,3\u00a0Md", "2\u00a0Md"]
    assert chart.figures.rows[0][1].text == "1\u202f285\u202f714\u202f285"


@pytest.mark.parametrize("count", [1, 2, 12, 60])
@pytest.mark.parametrize("value", [0, 1, 3, 98_765, 10**12])
@pytest.mark.parametrize("unit", ["question", PERCENT])
def test_everything_stands_within_the_drawing(count: int, value: int, unit: str) -> None:
    long = "Emploi, insertion professionnelle et développement économique des quartiers"
    grid_of = [[value] * count, [0] * count]
    made = (
        columns(monthly([value] * count), "Q", ident="q", unit=unit),
        bars([Bar(f"{long} {n}", value) for n in range(count)], "B", ident="b", unit=unit),
        heat(
            [long, "B"], [str(1960 + n) for n in range(count)], grid_of, "H", ident="h", marks={(0, 0): value}
        ),
    )
    for drawing in (drawing for chart in made for drawing in drawings(chart)):
        _, _, width, height = map(float, drawing["viewbox"].split())
        for rect in drawing.find_all("rect"):
            x, y, wide, tall = (float(rect[name]) for name in ("x", "y", "width", "height"))
            assert min(x, y, wide, tall) >= 0
            assert x + wide <= width + 0.2
            assert y + tall <= height + 0.2
        for text in drawing.find_all("text"):
            x, long_is = float(text["x"]), svg.width_of(text.get_text())
            start = x - long_is * {"end": 1, "middle": 0.5}.get(text.get("text-anchor", ""), 0)
            assert start >= -1
            assert start + long_is <= width + 1
            assert float(text["y"]) <= height


def test_without_values_there_is_a_sentence_and_nothing_to_open() -> None:
    for chart in (
        columns([], "Q", ident="q"),
        columns([], "Q", ident="q", target=(90, "objectif"), unit=PERCENT),
        bars([], "Q", ident="q"),
        heat([], [], [], "Q", ident="q"),
        heat(["Habitat"], [], [[]], "Q", ident="q"),
    ):
        page = shown(chart)
        assert "Aucune valeur pour le moment." in page.get_text()
        assert not page.find_all(["svg", "details", "ul"])


def test_zeros_only_are_said_and_written() -> None:
    chart = columns(monthly([0, 0, 0]), "Q", ident="q", unit="question")
    assert chart.summary.endswith("aucune valeur au-dessus de zéro.")
    for drawing in drawings(chart):
        assert texts(drawing, "chart-value") == ["0", "0", "0"]
        assert not drawing.find_all("rect", class_="chart-bar")
    assert "aucune valeur" in bars([Bar("A", 0), Bar("B", 0)], "Q", ident="q").summary.lower()
    assert heat(["A"], ["1"], [[0]], "Q", ident="q").summary == figures.NOTHING


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_value_that_no_scale_holds_is_refused(value: float) -> None:
    for make in (
        lambda: columns([Bar("a", value)], "Q", ident="q"),
        lambda: columns([Bar("a", 1, part=value)], "Q", ident="q"),
        lambda: bars([Bar("a", value)], "Q", ident="q"),
        lambda: spark([1, value], "Q"),
    ):
        with pytest.raises(ValueError, match="finite"):
            make()


def test_bars_are_ranked_unless_their_order_means_something() -> None:
    values = [Bar("A", 1), Bar("B", 9), Bar("C", 4), Bar("D", 9)]
    ranked = bars(values, "Q", ident="q")
    assert [row[0].text for row in ranked.figures.rows] == ["B", "D", "C", "A"]
    given_order = bars(values, "Q", ident="q", ranked=False)
    assert [row[0].text for row in given_order.figures.rows] == ["A", "B", "C", "D"]
    wide, _ = drawings(ranked)
    lengths = [float(rect["width"]) for rect in wide.find_all("rect", class_="chart-bar")]
    assert lengths == sorted(lengths, reverse=True)


def test_long_labels_break_into_two_lines_and_stay_whole_in_hint_and_table() -> None:
    label = "Emploi, insertion professionnelle et développement économique des quartiers prioritaires"
    chart = bars([Bar(label, 3, url="/t")], "Q", ident="q", unit="question")
    for drawing in drawings(chart):
        lines = texts(drawing, "chart-name")
        assert len(lines) == 2
        assert lines[1].endswith("…")
        assert drawing.find("a").title.get_text() == f"{label}\u00a0: 3\u00a0questions"
    assert chart.figures.rows[0][0].text == label


@given(TEXTS, st.floats(20, 400), st.integers(1, 3))
def test_broken_lines_have_room_and_lose_nothing_unless_they_say_so(
    label: str, width: float, most: int
) -> None:
    lines = svg.wrapped(label, width, most)
    assert 1 <= len(lines) <= most
    assert all(svg.width_of(line) <= width for line in lines)
    if not any(line.endswith("…") for line in lines):
        assert "".join(lines).replace(" ", "") == label.replace(" ", "")


def test_a_drawing_with_links_is_a_group_whose_links_say_where_they_lead() -> None:
    values = [Bar(MONTHS[n], n, url=f"/questions?mois={n}&tri=date") for n in range(12)]
    wide, narrow = drawings(columns(values, "Q", ident="q", unit="question"))
    assert wide["role"] == "group"
    assert [a["href"] for a in wide.find_all("a")] == [b.url for b in values]
    assert wide.find("a").title.get_text() == f"{MONTHS[0]}\u00a0: 0\u00a0question"
    assert narrow["role"] == "img", "columns too narrow for a finger are no links"
    assert not narrow.find_all("a")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//ailleurs.example", "data:text/html,a"])
def test_an_address_that_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        bars([Bar("A", 1, url=url)], "Q", ident="q")


def test_the_shade_of_a_cell_grows_with_its_count_and_the_count_is_written(grid: Chart) -> None:
    for drawing in drawings(grid):
        cells = drawing.find_all(class_="chart-cell")
        found = {cell.find("text").get_text(): cell["class"][1] for cell in cells}
        assert found == {"0": "heat-0", "1": "heat-1", "3": "heat-2", "12": "heat-3", "40": "heat-5"}
    assert [key.label for key in grid.keys] == [
        *("0", "1 à 2", "3 à 7", "8 à 15", "16 à 26", "27 à 40", "questions sans réponse")
    ]


@given(st.integers(0, 10**9))
def test_every_count_has_one_shade(highest: int) -> None:
    limits = steps(highest)
    assert len(limits) == min(STEPS, highest) or highest < 5 or len(limits) == STEPS
    assert list(limits) == sorted(set(limits))
    assert (limits[-1] if limits else 0) == highest


def test_marks_are_circles_with_their_number_and_are_said(grid: Chart) -> None:
    for drawing in drawings(grid):
        assert texts(drawing, "chart-marked") == ["4"]
        assert "Santé, 2026\u00a0: 12\u00a0documents, questions sans réponse\u00a0: 4" in drawing.get_text()
    assert grid.figures.rows[1][3].text == "12 (questions sans réponse\u00a0: 4)"


def test_a_grid_too_broad_goes_on_below_with_every_cell_once() -> None:
    years = [str(1990 + n) for n in range(37)]
    chart = heat(["A", "B"], years, [list(range(37)), list(range(37))], "Q", ident="q")
    broad = heat(["A", "B"], years, [list(range(37)), list(range(37))], "Q", ident="q", broad=True)
    for drawing in (*drawings(chart), *drawings(broad)):
        assert texts(drawing, "chart-tick") == years
        assert sorted(map(int, texts(drawing, "chart-count"))) == sorted([*range(37), *range(37)])
    (wide, narrow), (largest, _) = drawings(chart), drawings(broad)
    heights = [float(drawing["viewbox"].split()[3]) for drawing in (largest, wide, narrow)]
    assert heights == sorted(heights)
    assert largest["class"] == ["chart-broad"]


def test_a_grid_of_another_shape_than_its_names_is_refused() -> None:
    for values in ([[1]], [[1, 2], [3]], [[1, 2], [3, -4]]):
        with pytest.raises(ValueError, match=r"values|finite"):
            heat(["A", "B"], ["1", "2"], values, "Q", ident="q")


def test_the_table_has_the_figures_their_sums_and_headers_that_say_what_they_head(grid: Chart) -> None:
    page = shown(grid, csv="/activite/fonds.csv")
    table = page.find("details").find("table")
    assert table.caption.get_text() == "Le fonds"
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
    assert rows[0] == ["Thème", "2024", "2025", "2026", "Total"]
    assert rows[1] == ["Habitat", "0", "1", "40", "41"]
    assert rows[3] == ["Total", "3", "1", "52", "56"]
    assert {th["scope"] for th in table.thead.find_all("th")} == {"col"}
    assert {row.find("th")["scope"] for row in table.tbody.find_all("tr")} == {"row"}
    assert page.find("a", download=True)["href"] == "/activite/fonds.csv"
    assert page.find("summary").get_text().startswith("Les chiffres")


def test_shares_are_not_summed_and_notes_have_their_column() -> None:
    chart = columns(monthly([50, 87.5], note="sur 12"), "Part", ident="p", unit=PERCENT)
    assert chart.figures.head == ("Mois", "Part", "Note")
    assert [cell.text for cell in chart.figures.rows[1]] == [MONTHS[1], "87,5\u00a0%", "sur 12"]
    assert chart.figures.total == ()
    assert "en tout" not in chart.summary


def test_the_csv_has_plain_numbers_and_no_formula() -> None:
    values = [Bar('=HYPERLINK("x")', 1234), Bar("a;b", 2.5, note="@note")]
    text = as_csv(bars(values, "Q", ident="q", unit="question", along="Thème").figures)
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]), delimiter=";")) == [
        ["Thème", "Questions", "Note"],
        ['\'=HYPERLINK("x")', "1234", ""],
        ["a;b", "2,5", "'@note"],
        ["Total", "1236,5", ""],
    ]


def test_a_small_line_says_what_it_shows_and_ends_with_a_dot_at_its_last_value() -> None:
    line = BeautifulSoup(spark([4, 1, 2], "Délai : 2 jours"), "lxml").svg
    assert (line["role"], line["aria-label"]) == ("img", "Délai : 2 jours")
    points = [tuple(map(float, point.split(","))) for point in line.polyline["points"].split()]
    assert points[0][1] < points[2][1] < points[1][1]
    assert (float(line.circle["cx"]), float(line.circle["cy"])) == points[-1]


@pytest.mark.parametrize(("values", "dots"), [([], 0), ([3], 1), ([0, 0], 1), ([1] * 60, 1)])
def test_a_small_line_of_few_or_many_values_stays_in_its_box(values: list[float], dots: int) -> None:
    line = BeautifulSoup(spark(values, "Q"), "lxml").svg
    assert len(line.find_all("circle")) == dots
    for point in line.polyline["points"].split() if dots else ():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 100
        assert 0 <= y <= 30


def every_text_hostile(text: str) -> list[str]:
    one = [Bar(text, 3, note=text, url="/a?b=" + text, part=1)]
    made = (
        columns(one, text, ident="c", unit=text, along=text, parts=(text, text), target=(2, text)),
        bars(one, text, ident="b", unit=text, along=text, summary=text),
        heat([text], [text], [[3]], text, ident="h", unit=text, along=text, marks={(0, 0): 2}, mark=text),
    )
    return [
        *(drawn for it in made for drawn in (it.wide, it.narrow)),
        spark([1], text),
        *map(str, map(shown, made)),
    ]


@given(TEXTS)
def test_drawings_are_well_formed_whatever_the_labels_are(text: str) -> None:
    for drawn in every_text_hostile(text)[:7]:
        etree.fromstring(f'<r xmlns="http://www.w3.org/2000/svg">{drawn}</r>')


def test_labels_are_escaped_and_nothing_is_styled_inline() -> None:
    for drawn in every_text_hostile(HOSTILE):
        assert "<script" not in drawn
        assert not re.search(r"\sstyle\s*=|<style", drawn)


def test_a_label_that_claims_to_be_safe_is_the_only_one_left_alone() -> None:
    assert svg.element("text", "<b>") == "<text>&lt;b&gt;</text>"
    assert svg.element("text", Markup("<b/>"), fill=None, x=1.0) == '<text x="1"><b/></text>'


def luminance(colour: Sequence[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tokens(scheme: str) -> dict[str, tuple[float, ...]]:
    style = (STATIC / "carbet.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    found = re.findall(
        r"--(\w+): #([0-9a-f]{3,6})", light + (dark.split("\n}\n")[0] if scheme == "dark" else "")
    )
    whole = {name: code if len(code) == 6 else "".join(c * 2 for c in code) for name, code in found}
    return {name: tuple(int(code[n : n + 2], 16) / 255 for n in (0, 2, 4)) for name, code in whole.items()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_counts_can_be_read_on_every_shade(scheme: str) -> None:
    colours = tokens(scheme)
    style = (STATIC / "charts.css").read_text(encoding="utf-8").split("@media (forced-colors")[0]
    shades = dict(re.findall(r"\.heat-(\d) \.chart-square, [^{]+\{[^}]*fill-opacity: ([.\d]+)", style))
    assert sorted(shades) == ["1", "2", "3", "4", "5"]
    for step, share in shades.items():
        fill, ink = (
            colours["deep" if step == "5" else "lagoon"],
            colours["surface" if step in "45" else "ink"],
        )
        ground = [
            float(share) * f + (1 - float(share)) * s for f, s in zip(fill, colours["surface"], strict=True)
        ]
        assert contrast(ground, ink) >= 4.5, (step, contrast(ground, ink))
    assert contrast(colours["quiet"], colours["surface"]) >= 4.5
    assert contrast(colours["hibiscus"], colours["surface"]) >= 4.5


def test_the_style_takes_its_colours_from_the_tokens_and_knows_every_class() -> None:
    style = (STATIC / "charts.css").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl", style)
    drawn = "".join(every_text_hostile("a"))
    used = {name for found in re.findall(r'class="([^"]+)"', drawn) for name in found.split()}
    unknown = {name for name in used if name.startswith(("chart", "heat")) and f".{name}" not in style}
    assert not unknown
