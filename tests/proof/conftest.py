"""One server for all tests of the gate: its write-ahead log can be read back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.postgres import Postgres


@pytest.fixture(scope="session")
def logged() -> Iterator[Postgres]:
    """A server whose log is complete and flushed, so that `witness` can count what was committed."""
    options = {"wal_level": "logical", "synchronous_commit": "on", "max_connections": "200"}
    with Postgres.temporary(options=options) as server:
        yield server
