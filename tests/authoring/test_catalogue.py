"""Finding runbooks: by id however it is written, by words however they are spelt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.catalogue import Catalogue, same_id
from bot.authoring.loader import load_tree
from tests.authoring.samples import a_runbook, a_system
from tests.authoring.stage import RUNBOOKS

pytestmark = pytest.mark.authoring


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    """The runbooks of one of the systems that come with the bot."""
    return load_tree(RUNBOOKS, ["alacarte"])[0]


def test_id_is_found_in_any_case(shipped: Catalogue) -> None:
    """An id is found however its letters are cased, and nothing else is taken for one."""
    for text in ("RB-011", "rb-011", " Rb-011 "):
        found = shipped.get(text)
        assert found is not None
        assert found.id == "RB-011"
    assert shipped.get("RB-11") is None
    assert shipped.get("") is None


@pytest.mark.parametrize("text", ["RB-11", "rb11", "RB 011", "11", "RB-0011", "RB_11"])
def test_id_that_is_nearly_right_is_suggested_first(shipped: Catalogue, text: str) -> None:
    """What differs from an id only by zeros and dashes is suggested before everything else."""
    assert shipped.suggest(text)[0].id == "RB-011"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("subscription", "RB-011"),
        ("subscripton", "RB-011"),
        ("subscribed status not updated", "RB-011"),
        ("customer paid but still free", "RB-011"),
        ("cpu", "RB-004"),
        ("database is slow", "RB-004"),
        ("queries timing out", "RB-004"),
        ("frozen", "RB-001"),
        ("acount frozn", "RB-001"),
        ("credits", "RB-012"),
        ("negative balance", "RB-012"),
        ("RB-012", "RB-012"),
        ("rb 4", "RB-004"),
    ],
)
def test_search_finds_by_what_it_is_about(shipped: Catalogue, words: str, expected: str) -> None:
    """Words of a title, a symptom or a summary find their runbook first, also misspelt and inflected."""
    assert shipped.search(words)[0].id == expected


@pytest.mark.parametrize("words", ["", "   ", "the of and", "zzzzzz", "!!!", "🔥"])
def test_search_for_nothing_finds_nothing(shipped: Catalogue, words: str) -> None:
    """Words that say nothing find nothing."""
    assert list(shipped.search(words)) == []


def test_list_and_length(shipped: Catalogue) -> None:
    """All runbooks are listed by id."""
    ids = [runbook.id for runbook in shipped.list()]
    assert ids == sorted(ids)
    assert len(shipped) == len(ids) == len(list(shipped))


def test_take_says_what_changed() -> None:
    """A catalogue is updated in place and says which runbooks are new, different or gone."""
    catalogue = Catalogue([a_system()], [a_runbook()])
    assert catalogue.take([a_system()], [a_runbook()]) == ()
    assert catalogue.take([a_system()], []) == ("RB-001",)
    assert len(catalogue) == 0
    assert set(catalogue.systems) == {"shop"}


def test_ids_that_are_the_same() -> None:
    """Zeros, dashes and case do not make another id; other numbers and letters do."""
    assert same_id("rb 1", "RB-001")
    assert not same_id("RB-10", "RB-001")
    assert not same_id("WA-1", "RB-001")
    assert not same_id("", "RB-001")


@given(st.text(max_size=500))
def test_any_words_are_answered(words: str) -> None:
    """No text makes a search or a suggestion raise."""
    catalogue = Catalogue([a_system()], [a_runbook()])
    assert len(catalogue.search(words)) <= 1
    assert len(catalogue.suggest(words)) <= 5
