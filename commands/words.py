"""Reading what a person typed after a slash command: forgiving about quotes, strict about meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"""([\w.-]+)=("[^"]*"|'[^']*'|“[^”]*”|\S*)|("[^"]*"|'[^']*'|“[^”]*”|\S+)""")
_LINK = re.compile(r"^<(?:mailto:|tel:)?[^|>]*\|([^>]*)>$|^<(https?://[^>|]*)>$")


@dataclass(frozen=True, slots=True)
class Words:
    """The plain words and the `name=value` pairs, in the order typed."""

    plain: tuple[str, ...] = ()
    pairs: dict[str, str] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """The first word, "" when there is none."""
        return self.plain[0] if self.plain else ""

    @property
    def rest(self) -> str:
        """Everything after the first word."""
        return " ".join(self.plain[1:])


def words_of(text: str) -> Words:
    """Split what was typed. Slack turns addresses into links; the text inside is what the person typed."""
    plain, pairs = [], {}
    for match in _TOKEN.finditer(text.strip()):
        name, value, word = match.groups()
        if name is not None:
            pairs[name] = _bare(value)
        else:
            plain.append(_bare(word))
    return Words(tuple(plain), pairs)


def _bare(word: str) -> str:
    if len(word) >= 2 and (word[0], word[-1]) in (('"', '"'), ("'", "'"), ("“", "”")):
        word = word[1:-1]
    link = _LINK.match(word)
    return (link.group(1) or link.group(2) or word) if link else word
