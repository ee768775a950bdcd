"""The languages in which customers read what is written to them."""

from __future__ import annotations

from typing import Literal, TypeAlias

Language: TypeAlias = Literal["fr", "en"]


def spoken(language: str) -> Language:
    """Return the language that was asked for; before people could say one, all was in French."""
    return "en" if language == "en" else "fr"
