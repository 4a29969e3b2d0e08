"""The markdown block as HTML: CommonMark with tables and strikethrough, raw HTML switched off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from bot.sandbox.slack.render.html import el, safe_url

_ALIGNMENTS: Final = {"text-align:center": "center", "text-align:right": "right"}


class _Renderer(RendererHTML):
    """The library's renderer with links that open in a new tab and tables that scroll inside their box."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Slack opens every link in a new tab."""
        tokens[idx].attrSet("target", "_blank")
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow")
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A wide table scrolls, not the page."""
        return '<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table class="table">'

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A cell's alignment as a class: the page allows no inline styles."""
        style = str(tokens[idx].attrGet("style") or "")
        return f'<{tokens[idx].tag} class="align-{_ALIGNMENTS.get(style, "left")}">'

    td_open = th_open

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Closes the table and its box."""
        return "</table></div>"


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Only addresses a person may follow become links; the others stay text."""
        return safe_url(url) is not None


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    # Slack shows a picture in a markdown block as a link; with the rule off, `![x](y)` reads as "!" and a link.
    return parser.enable(["table", "strikethrough"]).disable("image")


_PARSER: Final = _parser()


def markdown(text: str) -> Markup:
    """Markdown as HTML; the library escapes every text it does not know as markup."""
    return el("div", {"class": "markdown"}, Markup(_PARSER.render(text)))
