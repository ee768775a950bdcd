"""What servers say is kept without the addresses in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.post.masking import LONGEST, masked


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 5.1.1 <jeanne@exemple.test>: unknown", "550 5.1.1 <…>: unknown"),
        ("550 5.1.1 jeanne@exemple.test unknown", "550 5.1.1 … unknown"),
        ('550 <"jeanne martin"@exemple.test> no', "550 <…> no"),
        ("rfc822;jeanne+a@exemple.test, luc@b.test", "rfc822;…, …"),
        ("250 2.0.0 Ok: queued as ABC123", "250 2.0.0 Ok: queued as ABC123"),
    ],
)
def test_codes_and_words_stay_and_addresses_go(said: str, kept: str) -> None:
    assert masked(said) == kept


@given(st.text(max_size=600), st.text(max_size=600))
def test_no_address_stays_whatever_stands_around_it(before: str, after: str) -> None:
    kept = masked(f"{before} jeanne@exemple.test {after}")
    assert "jeanne" not in kept
    assert len(kept) <= LONGEST
