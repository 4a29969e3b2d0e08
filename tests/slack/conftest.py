"""Golden files, local Slack, and a client whose clock moves when it sleeps; for the tests of the Slack room."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes the golden files anew instead of comparing with them."""
    parser.addoption("--golden", action="store_true", default=False, help="write the golden files anew")
