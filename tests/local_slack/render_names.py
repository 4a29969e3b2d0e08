"""Names for renderer tests, and a strict reader of the HTML it makes."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input"}


class FewNames:
    """One person, one channel, one group; me is U1."""

    me = "U1"

    def user(self, id: str) -> str | None:
        """Ana and Ben."""
        return {"U1": "Ana", "U2": "Ben"}.get(id)

    def channel(self, id: str) -> str | None:
        """The incident's channel."""
        return "inc-42" if id == "C1" else None

    def usergroup(self, id: str) -> str | None:
        """The billing group."""
        return "billing" if id == "S1" else None


class Reading(HTMLParser):
    """Collects tags and text, and notes every tag that is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults.extend(f"{tag} is never closed" for tag in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element written as `<br />`."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Check the order of closing."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} is closed out of order")

    def handle_data(self, data: str) -> None:
        """Remember the text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text as a person reads it."""
        return "".join(self.words)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]
