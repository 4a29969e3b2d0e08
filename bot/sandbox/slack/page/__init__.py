"""The browser page of local Slack: one HTML document and its scripts and styles; served by local Slack's server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.sandbox.slack.render.emoji import EMOJI

FOLDER: Final = Path(__file__).parent
_TYPES: Final = {".js": "text/javascript", ".css": "text/css"}
_TEMPLATES: Final = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
# Everything comes from this server, except pictures, which Slack's image blocks may take from anywhere.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def index_html(team: str, user: str) -> str:
    """The document served at `/`: the workspace's name, and whom one is where the address does not say it."""
    return _TEMPLATES.get_template("index.html.j2").render(
        team=team, user=user, emoji=json.dumps(EMOJI, ensure_ascii=False)
    )


def static_file(name: str) -> tuple[bytes, str] | None:
    """The bytes and content type of a script or style served at `/_local/static/{name}`, or None if there is none."""
    path = FOLDER / name
    if path.parent != FOLDER or path.suffix not in _TYPES or not path.is_file():
        return None
    return path.read_bytes(), _TYPES[path.suffix]
