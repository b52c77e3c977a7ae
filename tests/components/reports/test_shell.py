"""Every page: colours that can be read in both schemes, and no text of a user that becomes markup."""

import re

import jinja2
import pytest

from components.reports.drawing import VARIABLES
from components.reports.shell import TEMPLATES, render

STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = (dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{6})", part)) for part in STYLE.split("@media", 2)[:2])
TEXT = [
    *(("ink", ground) for ground in ("paper", "ground", "tint", "key")),
    *(("soft", ground) for ground in ("paper", "ground")),
    *(("accent", ground) for ground in ("paper", "ground")),
    ("bad", "paper"),
    *(("badge", ground) for ground in ("good", "bad", "warn", "soft")),
    *(("top-ink", "top"), ("top-soft", "top")),
]
DRAWN = [(name, "paper") for name in ("accent", "good", "bad", "muted", *(f"peer{n}" for n in range(1, 9)))]
DECORATION = {"line", "grid", "axis"}
"""Lines that carry nothing a reader needs."""


def luminance(colour):
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_as_wcag_has_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_drawings_can_be_read(scheme):
    for text, ground in TEXT:
        assert contrast(scheme[text], scheme[ground]) >= 4.5, (text, ground)
    for line, ground in DRAWN:
        assert contrast(scheme[line], scheme[ground]) >= 3, (line, ground)


def test_every_colour_is_a_variable_of_both_schemes_and_is_looked_at():
    assert set(LIGHT) == set(DARK)
    assert set(LIGHT) == {name for pair in (*TEXT, *DRAWN) for name in pair} | DECORATION
    assert not re.findall(r"#[0-9a-f]{3,6}\b", re.sub(r"--[a-z0-9-]+:#[0-9a-f]{6}", "", STYLE))
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", STYLE)) <= set(LIGHT)


def test_figures_are_drawn_in_the_light_scheme_s_colours():
    drawn = {name: colour for colour, name in VARIABLES.items()}
    assert drawn == {name: LIGHT[name] for name in drawn}


def test_a_template_that_shows_what_was_not_given_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("quarantine.html", counts=[], groups=[])
