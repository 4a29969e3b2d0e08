"""Reading JSON columns: the same text once, another text anew, and never more than fits."""

from __future__ import annotations

import json
from typing import Any

from bot.domain.approval import Person
from bot.store.codec import _Memory, decode, once, pack, unpack


def test_the_same_text_is_read_once() -> None:
    """Two reads of the same text share what was made of it; another text has its own."""
    text = json.dumps(pack(Person("U0BEN", "Ben Okoro")))
    assert unpack(Person, decode(text)) is unpack(Person, decode(text))
    assert unpack(Person, decode(text)) == Person("U0BEN", "Ben Okoro")
    assert unpack(Person, decode(text.replace("Ben", "Ann"))) == Person("U0BEN", "Ann Okoro")


def test_what_is_made_belongs_to_its_maker() -> None:
    """Two functions over the same data do not get each other's results, and data of no column is made each time."""
    data = decode('[3, 1, 2, "codec"]')
    assert (once(data, len), once(data, list)) == (4, [3, 1, 2, "codec"])
    assert once(data, list) is once(data, list)
    loose = [3, 1, 2]
    assert once(loose, list) is not once(loose, list)


def test_what_was_read_long_ago_is_forgotten() -> None:
    """The memory keeps to its size, forgets the oldest first, and takes nothing new for something old."""
    memory, made = _Memory(most=100), []

    def make(data: Any) -> str:
        made.append(data)
        return str(data)

    for number in range(500):
        data = memory.data(json.dumps({"number": number, "filling": "x" * 10}))
        assert memory.made(data, "text", make) == str(data)
        assert memory.made(data, "text", make) == str(data)
    assert len(made) == 500
    assert sum(map(len, memory._texts)) <= 100
    assert len(memory._owners) == len(memory._texts)


def test_a_text_larger_than_the_memory_is_read_all_the_same() -> None:
    """It is not kept, and takes nobody's place."""
    memory = _Memory(most=10)
    small, text = memory.data("[1]"), json.dumps(list(range(100)))
    assert memory.data(text) == memory.data(text) == list(range(100))
    assert memory.data("[1]") is small
