from __future__ import annotations

import re
from datetime import date

import pytest
from lxml import html

from provision.subscriptions.reports.charts import LINE_STYLE, Bar, BarGroup, Stack, bars, columns
from provision.subscriptions.reports.drawing import Picture
from tests.unit.subscriptions.reports.report_examples import assert_golden


def test_a_small_picture_is_the_golden_one() -> None:
    """One bar above another, hatched, with a legend and a mark: all that a chart is drawn with."""
    groups = [BarGroup("Trièves", (Bar(300, "3,00 €", 0), Bar(-100, "-1,00 €", 1)), "boutique")]
    picture = Picture("small", "Ventes", "Graphique : Ventes.")
    legend, marks = [("reçu", 0), ("rendu", 1)], [(200, "80 %")]
    assert_golden("picture.svg", bars(picture, groups, legend, marks) + "\n")


def test_the_columns_of_months_are_as_high_as_the_amounts() -> None:
    months = [date(2026, 12, 1), date(2027, 1, 1)]
    stacks = [
        Stack("venu", 0, (200, 100)),
        Stack("parti", 1, (-100, 0)),
        Stack("coût", LINE_STYLE, (50, 150)),
    ]
    drawn = columns(Picture("small", "Mois", "Graphique : Mois."), months, stacks, str)
    tree = html.fromstring(drawn)
    # The boxes of the legend come first; in a picture, down is more.
    filled = ".//path[contains(@style, 'stroke-width: 0.7')][not(ancestor::pattern)]/@d"
    boxes = [
        [float(down) for down in re.findall(r"[ML] [\d.]+ ([\d.]+)", path)]
        for path in tree.xpath(filled)
    ][-3:]
    high, low, left = ((min(box), max(box)) for box in boxes)
    zero = high[1]
    assert zero == pytest.approx(low[1]) == pytest.approx(left[0])
    assert zero - high[0] == pytest.approx(2 * (zero - low[0]), abs=1e-3)
    assert left[1] - zero == pytest.approx(zero - low[0], abs=1e-3)
    written = [text.strip() for text in tree.xpath(".//text/text()")]
    assert written[:3] == ["venu", "parti", "coût"]
    assert written[-4:] == ["12", "2026", "01", "2027"]
