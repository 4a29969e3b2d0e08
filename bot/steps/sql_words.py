"""PostgreSQL's words: the tokens of a statement, comments left out; what binding, the guard and previews read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from bot.errors import Mistake


class Word(Enum):
    """What a token is."""

    NAME = "name"
    QUOTED = "quoted name"
    STRING = "string"
    NUMBER = "number"
    BIND = "bind"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as written, `value` folded to lower case (names) or unquoted; `start`, `end` in the statement,
    `depth` how many parentheses stand open around it."""

    word: Word
    text: str
    value: str
    start: int
    end: int
    depth: int

    def says(self, *names: str) -> bool:
        """Whether it is one of these unquoted words or signs."""
        return self.word in (Word.NAME, Word.SIGN) and self.value in names


class Unreadable(Mistake):
    """The text cannot be one SQL statement, or not one whose reading is sure."""


_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_LINE_COMMENT = re.compile(r"--[^\r\n]*")
_NAME = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_NUMBER = re.compile(r"(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xXoObB][0-9a-fA-F_]+")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_PLAIN_STRING = re.compile(r"'(?:[^']|'')*'")
_ESCAPED_STRING = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_BIND = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")
_NUMBERED = re.compile(r"(?<![\w$])\$(\d+)(?![\w$])")
_LONG_SIGNS = re.compile(r"::|:=|<=|>=|<>|!=|\|\||->>|->|=>")


@lru_cache(maxsize=512)
def words(statement: str) -> tuple[Token, ...]:
    """The tokens of a statement. Raises `Unreadable` for what is unterminated or written in a way that two readers may
    take differently (NUL, U&'…' strings, a `$1` of the author's)."""
    if "\x00" in statement:
        raise Unreadable("The statement holds a NUL character.")
    return tuple(_Reader(statement).tokens())


def numbered_words(statement: str) -> tuple[Token, ...]:
    """The tokens of a statement whose names are bound already: its $1 are read as numbers."""
    return words(_NUMBERED.sub(r" \1", statement))


def without_comments(statement: str) -> str:
    """The statement with every comment replaced by a space: what is sent and what is read are the same text."""
    reader = _Reader(statement)
    list(reader.tokens())
    pieces, last = [], 0
    for start, end in reader.comments:
        pieces.append(statement[last:start] + " ")
        last = end
    return "".join([*pieces, statement[last:]])


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.comments: list[tuple[int, int]] = []
        self.before = ""

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        while True:
            self._skip()
            if self.at >= len(self.text):
                return found
            self.before = self.text[self.at - 1] if self.at else " "
            found.append(self._next())

    def _skip(self) -> None:
        while True:
            start = self.at
            if space := _SPACE.match(self.text, self.at):
                self.at = space.end()
            elif comment := _LINE_COMMENT.match(self.text, self.at):
                self.at = comment.end()
                self.comments.append((start, self.at))
            elif self.text.startswith("/*", self.at):
                self.at = self._after_block_comment()
                self.comments.append((start, self.at))
            else:
                return

    def _after_block_comment(self) -> int:
        depth, at = 0, self.at
        while at < len(self.text):
            if self.text.startswith("/*", at):
                depth, at = depth + 1, at + 2
            elif self.text.startswith("*/", at):
                depth, at = depth - 1, at + 2
                if depth == 0:
                    return at
            else:
                at += 1
        raise Unreadable("A /* comment has no end.")

    def _next(self) -> Token:  # noqa: PLR0911 - one arm a token
        text, at = self.text, self.at
        character = text[at]
        if character == "'":
            return self._matched(_PLAIN_STRING, Word.STRING, "A string has no closing quote.")
        if character == '"':
            token = self._matched(_QUOTED, Word.QUOTED, "A quoted name has no closing quote.")
            return self._made(Word.QUOTED, token.start, token.end, token.text[1:-1].replace('""', '"'))
        if character == "$":
            return self._dollar()
        if name := _NAME.match(text, at):
            return self._name(name)
        if number := _NUMBER.match(text, at):
            return self._made(Word.NUMBER, at, number.end(), number.group())
        if character == ":" and (bound := _BIND.match(text, at)) and not _part_of_slice(self.before):
            return self._made(Word.BIND, at, bound.end(), bound.group(1))
        if sign := _LONG_SIGNS.match(text, at):
            return self._made(Word.SIGN, at, sign.end(), sign.group())
        return self._made(Word.SIGN, at, at + 1, character)

    def _name(self, name: re.Match[str]) -> Token:
        after = self.text[name.end() : name.end() + 2]
        folded = name.group().lower()
        if folded == "u" and after[:1] == "&" and after[1:] in ("'", '"'):
            raise Unreadable("Write the characters themselves instead of a U&'…' escape.")
        if after[:1] == "'" and folded in ("e", "b", "x", "n"):
            pattern = _ESCAPED_STRING if folded == "e" else _PLAIN_STRING
            start, self.at = self.at, name.end()
            token = self._matched(pattern, Word.STRING, "A string has no closing quote.")
            return self._made(Word.STRING, start, token.end, self.text[start : token.end])
        return self._made(Word.NAME, name.start(), name.end(), _fold(name.group()))

    def _dollar(self) -> Token:
        opening = _DOLLAR.match(self.text, self.at)
        if opening is None:
            raise Unreadable("Write :name instead of $1: values are bound by name.")
        end = self.text.find(opening.group(), opening.end())
        if end < 0:
            raise Unreadable(f"A string opened by {opening.group()} has no end.")
        return self._made(Word.STRING, self.at, end + len(opening.group()), self.text[opening.end() : end])

    def _matched(self, pattern: re.Pattern[str], word: Word, problem: str) -> Token:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise Unreadable(problem)
        return self._made(word, self.at, found.end(), found.group())

    def _made(self, word: Word, start: int, end: int, value: str) -> Token:
        self.at = end
        text = self.text[start:end]
        if word is Word.SIGN and text == ")":
            self.depth -= 1
            if self.depth < 0:
                raise Unreadable("A parenthesis is closed that was never opened.")
        token = Token(word, text, value, start, end, self.depth)
        if word is Word.SIGN and text == "(":
            self.depth += 1
        return token


def _fold(name: str) -> str:
    """PostgreSQL folds unquoted names: ASCII letters only, whatever Python thinks a lower case is."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in name)


def _part_of_slice(before: str) -> bool:
    """`a[1:n]` is a slice: a colon right after a value binds nothing."""
    return before.isalnum() or before in "_$)]:\"'"
