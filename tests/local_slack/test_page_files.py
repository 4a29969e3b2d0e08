"""The page's document and static files, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.slack import page
from tests.local_slack.render_names import Reading

pytestmark = pytest.mark.local_slack


def test_the_document_escapes_its_words() -> None:
    """The workspace's name and the person's id cannot become markup."""
    reading = Reading(page.index_html("<script>x</script>", '"><img src=x onerror=x>'))
    assert [attributes.get("src") for attributes in reading.all("script")] == [
        "/_local/static/theme.js",
        "/_local/static/app.js",
    ]
    assert reading.all("img") == []


def test_everything_the_document_asks_for_is_served_from_here() -> None:
    """Each script and style exists, has its content type, and nothing comes from another host."""
    reading = Reading(page.index_html("Team", "U1"))
    asked = [
        attributes.get("href") or attributes.get("src") or ""
        for tag, attributes in reading.tags
        if tag in ("link", "script")
    ]
    assert asked
    for address in asked:
        if address.startswith("data:"):
            continue
        assert page.static_file(address.removeprefix("/_local/static/")) is not None, address


@pytest.mark.parametrize(
    "name", ["", ".", "..", "__init__.py", "index.html.j2", "../render/html.py", "nothing.js", "/etc/passwd", "a/b.js"]
)
def test_nothing_else_is_served(name: str) -> None:
    """Only scripts, styles and pictures of the page's own folder can be fetched."""
    assert page.static_file(name) is None


def test_no_file_is_too_long_and_none_calls_elsewhere() -> None:
    """Scripts and styles stay within 400 lines and name no other host than the SVG namespace."""
    files = [path for path in Path(page.FOLDER).iterdir() if path.suffix in (".js", ".css", ".j2")]
    assert len(files) > 10
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path.name
        elsewhere = text.replace("http://www.w3.org/2000/svg", "").replace("http%3A//www.w3.org/2000/svg", "")
        assert "://" not in elsewhere, path.name
