"""mrkdwn, rich text, markdown and dates as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.render import render_message
from bot.sandbox.slack.render.html import safe_url
from bot.sandbox.slack.render.mrkdwn import mrkdwn
from tests.local_slack.render_names import FewNames, Reading

pytestmark = pytest.mark.local_slack

NAMES = FewNames()


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("*bold _both_*", "<strong>bold <em>both</em></strong>"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("* not bold * _ nor this _", "* not bold * _ nor this _"),
        ("`a *b* <c`", "<code>a *b* &lt;c</code>"),
        ("a &lt; b &amp;&amp; c", "a &lt; b &amp;&amp; c"),
        ("one\ntwo", "one<br>two"),
        ("&gt; said\nnot", "<blockquote>said</blockquote>not"),
        ("before\n>>> all\nthe rest", "before<blockquote>all<br>the rest</blockquote>"),
        ("```x\n  *y*```", '<pre class="code">x\n  *y*</pre>'),
        ("12:30:45 and :nope:", "12:30:45 and :nope:"),
        ("", ""),
    ],
)
def test_mrkdwn_becomes_html(written: str, html: str) -> None:
    """Slack's markup means what it means in Slack, and nothing else does."""
    assert mrkdwn(written, NAMES) == html


@pytest.mark.parametrize(
    ("written", "shown", "kind"),
    [
        ("<@U1>", "@Ana", "mention mention-me"),
        ("<@U2>", "@Ben", "mention"),
        ("<@U9|gone>", "@gone", "mention"),
        ("<#C1>", "#inc-42", "mention channel-link"),
        ("<#C9|old>", "#old", "mention channel-link"),
        ("<!subteam^S1>", "@billing", "mention"),
        ("<!here>", "@here", "mention mention-me"),
    ],
)
def test_mentions_show_names(written: str, shown: str, kind: str) -> None:
    """People, channels and groups are called by name; a mention of me stands out."""
    reading = Reading(mrkdwn(written, NAMES))
    assert (reading.text, reading.tags[0][1]["class"]) == (shown, kind)


def test_dates_carry_their_moment() -> None:
    """A date is a time element with the moment in UTC and Slack's format for the page to rewrite."""
    reading = Reading(mrkdwn("<!date^1795157400^{date_short} at {time}|then>", NAMES))
    ((tag, attributes),) = reading.tags
    assert (tag, attributes["datetime"], attributes["data-format"]) == (
        "time",
        "2026-11-20T06:50:00Z",
        "{date_short} at {time}",
    )
    assert reading.text == "Nov 20, 2026 at 06:50 UTC"
    assert Reading(mrkdwn("<!date^soon^{time}|then>", NAMES)).text == "then"


def test_emoji_are_named_for_screen_readers() -> None:
    """A known short code becomes the emoji with a label."""
    ((_, attributes),) = Reading(mrkdwn(":white_check_mark:", NAMES)).tags
    assert attributes["aria-label"] == "white check mark"
    assert Reading(mrkdwn(":wave::skin-tone-3:", NAMES)).text == "👋"


@pytest.mark.parametrize("url", ["https://example.com/a?b=1&c=2", "http://example.com", "mailto:a@example.com"])
def test_web_and_mail_addresses_become_links(url: str) -> None:
    """http, https and mailto can be followed, in a new tab without a way back to this page."""
    (link,) = Reading(mrkdwn(f"<{url.replace('&', '&amp;')}|label>", NAMES)).all("a")
    assert (link["href"], link["target"], link["rel"]) == (url, "_blank", "noopener noreferrer nofollow")


BAD_URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "\u200bjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://example.com",
    "//example.com",
    "/relative",
    "https:",
    "",
]


@pytest.mark.parametrize("url", ["http://[", "https://[::1", 7, None])
def test_what_is_no_address_is_refused(url: object) -> None:
    """An address that cannot be read is none."""
    assert safe_url(url) is None


@pytest.mark.parametrize("url", BAD_URLS)
def test_other_addresses_never_become_links(url: str) -> None:
    """Any other scheme stays text, in mrkdwn, rich text and markdown alike."""
    assert safe_url(url) is None
    link = {"type": "link", "url": url, "text": "go"}
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"<{url}|go>"}},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]},
        {"type": "markdown", "text": f"[go](<{url}>) ![x](<{url}>)"},
    ]
    reading = Reading(render_message({"ts": "1", "blocks": blocks}, NAMES))
    assert reading.all("a") == []
    assert reading.all("img") == []
    assert "go" in reading.text


def test_markdown_is_commonmark_with_tables_and_without_html() -> None:
    """Headings, lists, tables, strikethrough and code work; HTML stays text; tables scroll in their box."""
    text = (
        "# Head\n\n- one\n- ~~two~~\n\n|a|b|\n|-|-:|\n|1|2|\n\n`<i>`\n\n<b onclick=x>raw</b> [l](https://example.com)"
    )
    html = render_message({"ts": "1", "blocks": [{"type": "markdown", "text": text}]}, NAMES)
    reading = Reading(html)
    assert reading.faults == []
    assert {"h1", "ul", "li", "s", "table", "code", "a"} <= {tag for tag, _ in reading.tags}
    assert "b" not in {tag for tag, _ in reading.tags}
    assert "<b onclick=x>raw</b>" in reading.text
    assert 'class="table-scroll"' in html
    assert [cell["class"] for cell in reading.all("td")] == ["align-left", "align-right"]
    assert "style=" not in html
    assert reading.all("a")[0]["target"] == "_blank"


def test_rich_text_lists_keep_depth_and_numbers() -> None:
    """Lists know their style, indent and first number."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x", "style": {"bold": True}}]}
    parts = [
        {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [section]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section]},
    ]
    reading = Reading(render_message({"ts": "1", "blocks": [{"type": "rich_text", "elements": parts}]}, NAMES))
    assert reading.all("ol") == [{"class": "rich-list indent-0", "start": "3"}]
    assert reading.all("ul") == [{"class": "rich-list indent-1"}]
    assert len(reading.all("strong")) == 2


MARKS = st.text(alphabet="*_~`<>|!@#:&;\n \"'=/abhtps^{}[]()-1", max_size=60)


@given(MARKS)
def test_any_text_gives_balanced_html_without_surprises(written: str) -> None:
    """Whatever is typed, the HTML is well-formed and holds only the tags that mrkdwn has."""
    reading = Reading(mrkdwn(written, NAMES))
    assert reading.faults == []
    allowed = {"strong", "em", "s", "code", "pre", "blockquote", "br", "a", "span", "button", "time"}
    assert {tag for tag, _ in reading.tags} <= allowed


@pytest.mark.timeout(5)
@pytest.mark.parametrize("piece", ["*", "_a", "<", "`", "```", "*_~", ":a", "&gt;", "https://x ", "<@U1"])
def test_long_texts_take_no_quadratic_time(piece: str) -> None:
    """Forty thousand characters of any mark are rendered at once."""
    assert mrkdwn(piece * (40_000 // len(piece)), NAMES) is not None
