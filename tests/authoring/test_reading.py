"""Reading YAML: whatever bytes come, the answer is data with lines or problems, in bounded time."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.problems import Level
from bot.authoring.reading import MAX_BYTES, read, spelled
from tests.authoring.samples import messages

pytestmark = pytest.mark.authoring


def test_every_place_knows_its_line() -> None:
    """The line of a place is the line of its key, and of what is around it when the file has no such place."""
    document, problems = read("a: 1\nb:\n  c: |\n    text\n  d: [x, {e: 2}]\n", "f.yaml")
    assert document is not None
    assert not problems
    assert document.data == {"a": 1, "b": {"c": "text\n", "d": ["x", {"e": 2}]}}
    assert [document.line(path) for path in (("a",), ("b",), ("b", "c"), ("b", "d", 1, "e"), ("b", "x"))] == [
        1,
        2,
        3,
        5,
        2,
    ]
    assert spelled(("b", "d", 1, "e")) == "b.d[1].e"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("2025-02-01", "2025-02-01"),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("9" * 30, "9" * 30),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("", None),
        ("=", "="),
    ],
)
def test_scalars_mean_what_they_look_like(text: str, expected: Any) -> None:
    """Numbers are numbers only where nobody could read them otherwise: no octals, base sixty, dates or infinity."""
    document, problems = read(f"a: {text}\n", "f.yaml")
    assert document is not None
    assert not problems
    assert document.data == {"a": expected}
    assert type(document.data["a"]) is type(expected)


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: 1\n\ud800", 2, "not UTF-8"),
        (b"\xff\xfea\x00", 1, "not UTF-8"),
        ("a:\n\t- b\n", 2, "a tab"),
        ("a: b: c", 1, "not YAML"),
        ("a: 'b", 1, "not YAML"),
        ("a: \x00", 1, "not YAML"),
        ("%YAML 9.9\n---\na: 1", 1, "not YAML"),
        ("a: 1\na: 2", 2, "written twice; it is on line 1"),
        ("a: 1\n---\nb: 2", 2, "more than one document"),
        ("a: *b", 1, "no anchor"),
        ("a: &b [*b]", 1, "no anchor"),
        ("a: !!python/object/apply:os.system [x]", 1, "Tags"),
        ("!x a", 1, "Tags"),
        ("? [a]\n: b", 1, "key must be text"),
        ("? \n: b", 1, "key must be text"),
        ("", 1, "empty"),
        ("# nothing\n", 1, "empty"),
        ("x" * (MAX_BYTES + 1), 1, "larger"),
        ("[" * 1000, 1, "deeper"),
        ("- " * 1000, 1, "deeper"),
        ("a: yes", 1, "true or false"),
    ],
)
def test_what_cannot_be_read_is_a_problem_at_its_line(raw: str | bytes, line: int, said: str) -> None:
    """Bytes that are not a document give a problem with a line and a sentence, never an exception."""
    _, problems = read(raw, "f.yaml")
    assert [(problem.line, problem.level) for problem in problems] == [(line, Level.ERROR)]
    assert said in problems[0].message


def test_marks_that_are_only_doubtful_are_warnings() -> None:
    """A byte order mark and an unquoted `on:` are said and read all the same."""
    document, problems = read("\ufeffon: 1\n", "f.yaml")
    assert document is not None
    assert document.data == {"on": 1}
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert len(problems) == 2


def _bomb() -> str:
    lines = [f"a0: &a0 [{','.join('x' * 10)}]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        _bomb(),
        "[" * MAX_BYTES,
        "{" * MAX_BYTES,
        "[" + "a," * 490_000 + "]",
        "\n".join(f"k{n}: v" for n in range(70_000)),
        "a: " * 300_000,
        "'" * 999_998,
        ("a" * 1000 + "\n") * 900,
        "&a " * 300_000,
        "? " * 400_000,
        "!" * 900_000,
        "# \n" * 300_000,
        '"' + "\\u0041" * 160_000 + '"',
    ],
    ids=range(13),
)
def test_nothing_takes_long(text: str) -> None:
    """A file made to exhaust time or memory is answered within seconds."""
    started = time.perf_counter()
    read(text, "f.yaml")
    assert time.perf_counter() - started < 5


def test_all_that_is_doubtful_is_said_at_once() -> None:
    """Problems that do not stop the reading are all reported."""
    _, problems = read("a: yes\nb: 1\nb: 2\nc: off\n", "f.yaml")
    assert [problem.line for problem in problems] == [1, 3, 4]
    assert len(set(messages(problems))) == 3


# Line separators and control characters are folded by YAML itself; that writer leaves 1e3, a number since YAML 1.2,
# without quotes.
_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12).filter(
    lambda word: not re.fullmatch(r"[-+]?[\d.]+[eE][-+]?\d+", word)
)
_LEAVES = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | _WORDS
_DATA = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4))


@given(_DATA)
def test_plain_data_comes_back(data: Any) -> None:
    """Data written by another YAML writer is read back as it was."""
    document, problems = read(yaml.safe_dump({"data": data}, allow_unicode=True), "f.yaml")
    assert document is not None, problems
    assert document.data == {"data": data}


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_any_bytes_are_answered(raw: str | bytes) -> None:
    """No bytes at all make the reader raise."""
    document, problems = read(raw, "f.yaml")
    assert document is not None or problems
