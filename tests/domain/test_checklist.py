"""Checklists as data: who ticked what, what the bot saw, and what is kept when they are looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.checklist import Checklist, Item, checklist_of
from bot.domain.facts import from_json, to_json

pytestmark = pytest.mark.runbooks

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LISTED = Checklist(
    (Item("profile", "The profile", seen=True), Item("mail", "The mail", seen=False), Item("call", "A call"))
)


def test_what_is_left_is_neither_seen_nor_ticked() -> None:
    """What the bot saw not to be so may be ticked by a person all the same; the first tick stays."""
    assert [each.key for each in LISTED.left] == ["mail", "call"]
    assert LISTED.summary == "1 of 3 done"
    ticked = LISTED.changed({"mail", "profile", "unknown"}, (), "U_ANA", NOW)
    assert [(each.key, each.by) for each in ticked.ticked] == [("mail", "U_ANA")]
    again = ticked.changed({"mail"}, (), "U_BEN", NOW + timedelta(hours=1))
    assert again == ticked
    assert [each.key for each in ticked.changed({"call"}, {"mail"}, "U_BEN", NOW).ticked] == ["call"]


def test_a_second_look_keeps_the_ticks() -> None:
    """What people ticked stays ticked; what the bot saw is what it sees now; an item that is new is open."""
    ticked = LISTED.changed({"mail"}, (), "U_ANA", NOW)
    seen = Checklist((Item("profile", "The profile", seen=False), Item("mail", "The mail"), Item("new", "New")))
    kept = seen.with_ticks_of(ticked)
    assert [(each.key, each.seen, each.by, each.at) for each in kept.items] == [
        ("profile", False, "", None),
        ("mail", None, "U_ANA", NOW),
        ("new", None, "", None),
    ]


def test_the_fact_says_what_was_left_and_why() -> None:
    """A closed list is a fact that expressions can read, and it comes back from storage as the list it was."""
    fact = LISTED.changed({"mail"}, (), "U_ANA", NOW).fact("nobody answers", "U_BEN")
    scope = fact.scope()
    assert (scope["all"], scope["left"], scope["because"], scope["by"]) == (
        False,
        ["A call"],
        "nobody answers",
        "U_BEN",
    )
    assert scope["items"]["mail"]["by"] == "U_ANA"
    assert fact.summary == "2 of 3 done; left: nobody answers"
    back = checklist_of(from_json(to_json(fact.value)))
    assert back is not None
    assert {each.key: each.by for each in back.items} == {"profile": "", "mail": "U_ANA", "call": ""}


@pytest.mark.parametrize("value", [{}, {"items": []}, {"items": [1, 2]}, {"items": {"a": {"b": 1}}}, {"items": "x"}])
def test_other_facts_hold_no_checklist(value: dict[str, object]) -> None:
    """A fact of another kind that happens to have items is no checklist."""
    assert checklist_of(value) is None
