from __future__ import annotations

import json
import re
import tomllib
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from matplotlib import rcParams

from provision.errors import UsageRefused
from provision.shipped import share
from provision.subscriptions.reports.chapters import CHAPTERS
from provision.subscriptions.reports.facts import Facts, Portion, ReportParty
from provision.subscriptions.reports.figures import figures
from provision.subscriptions.reports.making import make
from provision.subscriptions.reports.page import page
from provision.subscriptions.reports.rows import rows
from provision.subscriptions.reports.wording import LANGUAGES, wording
from tests.unit.subscriptions.reports.report_examples import (
    ASSOCIATION,
    BUSINESS,
    MONTHS,
    UNTIL,
    assert_golden,
    example,
)

FIGURES = figures(example(), hourly_cents=3500)
EMPTY = Facts(title="Rien encore", until=UNTIL)
PAGES = {language: page(FIGURES, language) for language in LANGUAGES}
every_language = pytest.mark.parametrize("language", LANGUAGES)


def text_of(written: str) -> str:
    return re.sub(r"\s+", " ", html.fromstring(written).text_content())


def tags_of_report_about(name: str) -> list[str]:
    portion = Portion(MONTHS[0], "business", name, "sale", name, 5)
    facts = replace(EMPTY, title=name, paid_cents=5, portions=(portion,))
    return [one.tag for one in html.fromstring(page(figures(facts), "fr")).iter()]


PLAIN_TAGS = tags_of_report_about("Atelier")


def told(language: str) -> str:
    """Return what the chapters say and their tables, without the charts."""
    lines = []
    for chapter in CHAPTERS:
        made = make(chapter, FIGURES, wording(language))
        lines.append(f"# {made.title}")
        for block in made.blocks:
            lines += ["", f"## {block.title}", *block.says]
            if block.table:
                rows = [[cell.text or "·" for cell in row] for row in block.table.rows]
                lines += [" | ".join(cells) for cells in (list(block.table.heads), *rows)]
        lines.append("")
    return "\n".join(lines)


@every_language
def test_the_chapters_say_the_golden_sentences_and_tables(language: str) -> None:
    assert_golden(f"example.{language}.txt", told(language))


def test_the_rows_are_the_golden_ones() -> None:
    lines = []
    for name, records in rows(FIGURES).items():
        lines += [f"# {name}", *(json.dumps(row, ensure_ascii=False) for row in records)]
    assert_golden("example.rows.txt", "\n".join(lines) + "\n")


@every_language
def test_the_page_shows_every_sentence_and_cell_of_its_chapters(language: str) -> None:
    tree = html.fromstring(PAGES[language])
    made = [
        block for chapter in CHAPTERS for block in make(chapter, FIGURES, wording(language)).blocks
    ]
    for block, article in zip(made, tree.xpath("//article"), strict=True):
        assert article.xpath("string(./h3)") == block.title
        assert tuple(article.xpath("./p/text()")) == block.says
        table = block.table
        heads = article.xpath(".//thead//th")
        assert [head.text_content() for head in heads] == list(table.heads if table else ())
        names = [head for head in heads if head.get("class") == "name"]
        assert len(names) == (table.names if table else 0)
        cells = [cell for row in article.xpath(".//tbody/tr") for cell in row]
        shown = [(cell.text_content(), _shade(cell.get("class"))) for cell in cells]
        assert shown == [
            (cell.text, cell.shade) for row in (table.rows if table else ()) for cell in row
        ]


def _shade(name: str | None) -> int:
    return int(name.removeprefix("shade")) if name and name.startswith("shade") else 0


def test_the_report_is_the_same_whatever_this_machine_has_set() -> None:
    before = dict(rcParams)
    try:
        rcParams.update({"font.size": 30, "svg.fonttype": "path", "savefig.facecolor": "red"})
        assert page(FIGURES, "fr") == PAGES["fr"]
        assert rcParams["font.size"] == 30
    finally:
        rcParams.update(before)


def test_two_reports_at_once_do_not_disturb_each_other() -> None:
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(page, FIGURES, language) for language in ("fr", "en", "fr")]
    assert [one.result() for one in found] == [PAGES["fr"], PAGES["en"], PAGES["fr"]]


@every_language
def test_the_report_needs_nothing_outside_itself(language: str) -> None:
    tree = html.fromstring(PAGES[language])
    assert not tree.xpath("//script | //link | //img | //image | //iframe | //object | //*[@src]")
    links = {link for link in tree.xpath("//@href") if not link.startswith("#")}
    assert not links
    assert "url(#" in PAGES[language]
    assert not re.search(r"url\((?!#)|@import|<!DOCTYPE svg", PAGES[language])
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@every_language
def test_every_reference_inside_the_report_leads_somewhere_and_no_id_is_twice(
    language: str,
) -> None:
    ids = re.findall(r'\bid="([^"]+)"', PAGES[language])
    assert len(ids) == len(set(ids))
    told = html.fromstring(PAGES[language]).xpath("//@aria-labelledby")
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', PAGES[language]))
    assert used | {name for names in told for name in names.split()} <= set(ids)


@every_language
def test_every_chart_is_told_in_words_and_has_its_table(language: str) -> None:
    tree = html.fromstring(PAGES[language])
    charts = tree.xpath("//figure/svg")
    assert len(charts) == 13
    for chart in charts:
        assert chart.get("role") == "img"
        title, description = chart.xpath("./title/text()")[0], chart.xpath("./desc/text()")[0]
        assert title in description
        assert chart.xpath("../../div/table/caption/text()") == [title]


def test_no_chart_tells_by_colour_alone() -> None:
    """In each chart, each colour of a bar comes with a hatch of its own."""
    for chart in html.fromstring(PAGES["fr"]).xpath("//figure/svg"):
        fills = [pattern.xpath("string(.//rect/@fill)") for pattern in chart.xpath(".//pattern")]
        lines = [pattern.xpath("string(.//path/@d)") for pattern in chart.xpath(".//pattern")]
        assert len(set(fills)) == len(fills) == len(set(lines))


def test_the_bars_of_each_euro_are_as_long_as_the_amounts() -> None:
    (chart,) = html.fromstring(PAGES["fr"]).xpath("//section[@id='euro']//svg")
    boxes = []
    for path in chart.xpath(".//path[contains(@style, 'fill: ')][not(ancestor::pattern)]/@d"):
        points = [float(number) for number in re.findall(r"[ML] ([\d.]+) ", path)]
        boxes.append(max(points) - min(points))
    lengths = boxes[-len(FIGURES.received) :]
    for length, one in zip(lengths, FIGURES.received, strict=True):
        assert length / lengths[0] == pytest.approx(one.cents / FIGURES.received[0].cents, abs=1e-4)


@pytest.mark.parametrize(
    ("cents", "french", "english"),
    [
        (100_000, "1\u202f000\u00a0€", "€1,000"),
        (-250_000, "-2\u202f500\u00a0€", "-€2,500"),
        (50, "0,50\u00a0€", "€0.50"),
        (0, "0\u00a0€", "€0"),
    ],
)
def test_amounts_beside_a_chart_are_short_but_never_another(
    cents: int, french: str, english: str
) -> None:
    assert (wording("fr").short(cents), wording("en").short(cents)) == (french, english)


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (0, "0,0\u00a0h", "0.0\u00a0h"),
        (179, "0,0\u00a0h", "0.0\u00a0h"),
        (180, "0,1\u00a0h", "0.1\u00a0h"),
        (3_600_000, "1\u202f000,0\u00a0h", "1,000.0\u00a0h"),
    ],
)
def test_hours_are_written_with_a_tenth(seconds: int, french: str, english: str) -> None:
    assert (wording("fr").hours(seconds), wording("en").hours(seconds)) == (french, english)


def test_shares_are_rounded_half_up_and_unknown_ones_are_a_dash() -> None:
    words = wording("fr")
    assert words.percent(Fraction(125, 1000)) == "12,5\u202f%"
    assert words.percent(Fraction(1255, 10_000)) == "12,6\u202f%"
    assert words.percent(Fraction(-1, 200)) == "-0,5\u202f%"
    assert (words.percent(None), words.hundredths(None)) == ("–", "–")
    assert words.hundredths(1205) == "12,05\u202f%"


def test_the_chapters_come_in_the_order_of_an_assembly() -> None:
    ids = html.fromstring(PAGES["fr"]).xpath("//section/@id")
    assert ids == ["euro", "carries", "people", "cannot", "gives", "places", "thresholds"]


@every_language
def test_the_shares_of_each_euro_add_up_to_one_hundred(language: str) -> None:
    cells = html.fromstring(PAGES[language]).xpath("//section[@id='euro']//tbody/tr/td[3]/text()")
    found = [int(re.sub(r"\D", "", cell)) for cell in cells]
    assert sum(found[:-1]) == found[-1] == 10_000


def test_amounts_are_written_as_the_reader_writes_them() -> None:
    assert "30\u202f936,96\u00a0€" in PAGES["fr"]
    assert "€30,936.96" in PAGES["en"]
    assert "14,5\u202f%" in PAGES["fr"]
    assert "14.5%" in PAGES["en"]


@every_language
def test_the_report_always_says_that_the_threshold_is_not_the_only_risk(language: str) -> None:
    bare = figures(replace(EMPTY, parties=()))
    for written in (PAGES[language], page(bare, language)):
        assert "relations privilégiées" in text_of(written).replace("\u00a0", " ")
        assert "lucrativité par contamination" in text_of(written)
    said = {"fr": "sa part compte comme imposable", "en": "its share counts as taxable"}
    assert said[language] in text_of(PAGES[language])


def test_a_recorded_rescrit_ends_that_warning_and_no_other() -> None:
    parties = (ReportParty(ASSOCIATION, "association", date(2026, 1, 1)),)
    written = text_of(page(figures(replace(example(), parties=parties)), "fr"))
    assert "compte comme imposable" not in written
    assert "un rescrit est noté" in written
    assert "lucrativité par contamination" in written


def test_hours_are_shown_apart_from_euros() -> None:
    text = text_of(PAGES["fr"])
    assert "145,5 h ont été données. Les heures ne s’ajoutent jamais aux euros." in text
    assert "au 31 octobre 2026 et à 35,00 € l’heure : 5 092,50 €" in text
    assert "l’heure" not in text_of(page(replace(FIGURES, valuation=None), "fr"))


@every_language
def test_a_report_of_nothing_says_so_in_each_block(language: str) -> None:
    tree = html.fromstring(page(figures(EMPTY), language))
    assert not tree.xpath("//table | //figure")
    blocks = [block for chapter in CHAPTERS for block in chapter.blocks]
    for block, article in zip(blocks, tree.xpath("//article"), strict=True):
        key = "empty" if block.columns else "none"
        first = article.xpath("string(./p[1])")
        assert first == wording(language).say(f"{block.name}.{key}")


@pytest.mark.parametrize(
    "name",
    [
        "$x^2$ $",
        "<script>alert(1)</script>",
        "{{ 7 * 7 }} {paid}",
        "日本 🦊",
        "@0@ #010203",
        "\x00\x1b[31m",
    ],
)
def test_a_hostile_name_is_only_text(name: str) -> None:
    facts = example()
    portions = tuple(
        replace(one, beneficiary=f"{name} {one.beneficiary}") for one in facts.portions
    )
    changed = replace(
        facts, title=name, portions=portions, parties=(ReportParty(name, "association"),)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = html.fromstring(page(figures(changed), "fr"))
    assert not tree.xpath("//script")
    (chart,) = tree.xpath("//section[@id='euro']//svg")
    shown = re.sub(r"[\x00-\x1f]", "\ufffd", name)
    labels = [text for text in chart.xpath(".//text/text()") if shown in text]
    assert len(labels) == len(FIGURES.received)
    assert (
        name.strip("\x00") in re.sub("\ufffd", "\x00", tree.xpath("string(//h1)")) or "\x1b" in name
    )


@settings(max_examples=12, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_any_name_changes_nothing_but_text(name: str) -> None:
    assert tags_of_report_about(name) == PLAIN_TAGS


def test_a_chart_of_many_lines_says_what_it_leaves_out() -> None:
    portion = example().portions[0]
    portions = tuple(replace(portion, beneficiary=f"Partie {at:02}", cents=100) for at in range(40))
    found = figures(replace(EMPTY, paid_cents=4000, portions=portions))
    tree = html.fromstring(page(found, "fr"))
    assert len(tree.xpath("//section[@id='euro']//tbody/tr")) == 41
    labels = [
        text for text in tree.xpath("//section[@id='euro']//svg//text/text()") if "Partie" in text
    ]
    assert len(labels) == 12
    assert "Seules les 12 plus grandes lignes" in text_of(page(found, "fr"))


def test_a_long_name_is_cut_in_the_chart_and_whole_in_the_table() -> None:
    name = "Association des usagères et usagers du numérique libre du Trièves"
    portion = replace(example().portions[0], beneficiary=name)
    found = figures(replace(EMPTY, paid_cents=portion.cents, portions=(portion,)))
    (section,) = html.fromstring(page(found, "fr")).xpath("//section[@id='euro']")
    assert "Association des usagères et usagers… · vente" in section.xpath(".//svg//text/text()")
    assert section.xpath(".//tbody/tr[1]/th//text()") == [name]


def test_other_languages_are_refused() -> None:
    with pytest.raises(UsageRefused, match="not a language"):
        page(FIGURES, "../fr")


def test_both_languages_say_the_same_things() -> None:
    def leaves(table: dict[str, object], path: str = "") -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for key, value in table.items():
            if isinstance(value, dict):
                found |= leaves(value, f"{path}{key}.")
            else:
                found[path + key] = set(re.findall(r"\{(\w+)\}", str(value)))
        return found

    french, english = (
        leaves(tomllib.loads((share("templates") / "money" / f"report.{one}.toml").read_text()))
        for one in LANGUAGES
    )
    assert french == english


def test_every_word_of_the_report_is_used() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("provision/subscriptions/reports/*.py", "templates/money/report*.html")
        for path in share("templates").parent.glob(pattern)
    )
    groups = {"months", "kinds", "roles", "ages", "rules", "levels"}
    words = wording("fr").words
    for chapter, texts in words.items():
        for key in texts if isinstance(texts, dict) and chapter not in groups else ():
            stem = re.sub(r"_(within|below|above|none|forever)$", "", key)
            assert re.search(rf'["._]{stem}["_{{ ]', code), f"{chapter}.{key}"


def test_rows_are_flat_and_carry_their_units() -> None:
    found = rows(FIGURES)
    for name, records in found.items():
        for record in records:
            assert all(
                value is None or isinstance(value, str | int | bool) for value in record.values()
            ), name
    assert found["coverage"][0] == {
        "month": "2025-11",
        "paid_cents": 165_000,
        "cost_cents": 250_000,
        "ratio_basis_points": 6_600,
    }
    assert found["reciprocity"][1]["open_cents"] == 17_500
    assert found["recurring"] == [{"until": "2026-10-31", "share_basis_points": 8274}]
    assert json.loads(json.dumps(found)) == found


def test_rows_of_nothing_are_empty_lists_and_unknown_shares() -> None:
    found = rows(figures(EMPTY))
    for name in ("received", "tiers", "time", "valuation", "pledges", "sales", "watch", "cohorts"):
        assert found[name] == []
    assert {row["ratio_basis_points"] for row in found["coverage"]} == {None}
    assert len(found["movements"]) == len(MONTHS)


def test_a_business_and_an_association_are_watched_by_their_own_rules() -> None:
    told = [(row["party"], row["rule"]) for row in rows(FIGURES)["watch"]]
    assert told == [
        (ASSOCIATION, "franchise"),
        (BUSINESS, "services_current"),
        (BUSINESS, "services_previous"),
    ]
