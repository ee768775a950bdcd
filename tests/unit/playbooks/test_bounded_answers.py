from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.playbooks.conftest import Load

MODULE = "module_utils/paquet_php.py"


@pytest.mark.parametrize("stream", ["1", "2"])
def test_of_a_program_that_talks_without_end_a_megabyte_is_heard(load: Load, stream: str) -> None:
    words = ["sh", "-c", f"exec yes endless >&{stream}"]
    code, told, complained = load(MODULE)["bounded"](words, {})
    assert code != 0
    assert len(told + complained) == 1 << 20


def test_a_program_hears_what_it_is_given_and_is_heard(load: Load) -> None:
    words = ["sh", "-c", "cat; echo oh >&2; exit 3"]
    assert load(MODULE)["bounded"](words, {"a": "é"}) == (3, '{"a": "\\u00e9"}', "oh\n")


@pytest.mark.parametrize("said", ["", "null", "[]", "{", '{"changed": 1}'])
def test_an_answer_of_another_form_is_a_failure_in_words(load: Load, said: str) -> None:
    module = load(MODULE)
    runner = ["sh", "-c", f"cat >/dev/null; echo '{said}'", "--"]
    with pytest.raises(module["PhpFailed"], match="did not say"):
        module["settle"](runner, {})
