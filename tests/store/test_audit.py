"""The audit trail: every tampering is found and named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit
from bot.store.audit import GENESIS, ChainReport, Head
from bot.store.session import Store
from tests.conftest import ManualClock
from tests.store.trail import NOTED, ten_lines

pytestmark = pytest.mark.production


# -- tampering ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tampering:
    """Statements behind the trigger's back; hashes of the lines `anew` are made to fit afterwards, as by somebody who
    knows how. `alone` is the line named without an anchor (None: nothing to be seen), `anchored` the one
    named with an anchor at line 10."""

    name: str
    statements: Sequence[str]
    alone: int | None
    anchored: int
    words: str
    anew: range = range(0)


def moved(by: int, lines: Sequence[int]) -> list[str]:
    """The lines in other places."""
    return [f"UPDATE audit SET seq = {line + by} WHERE seq = {line}" for line in lines]


def copied(to: int) -> str:
    """Line 4 once more, in another place."""
    return (
        f"INSERT INTO audit SELECT {to}, at, kind, actor, run_id, incident_id, body, previous, hash "
        "FROM audit WHERE seq = 4"
    )


EDIT = "UPDATE audit SET body = replace(body, 'rtl', 'ltr') WHERE seq = 4"
TORN = "UPDATE audit SET body = 'nothing' WHERE seq = 4"
ALIEN = "line 10 is not the one that was anchored"
TAMPERINGS = (
    Tampering("text changed", [EDIT], 4, 4, "the text of line 4 is not what was hashed"),
    Tampering("text changed, its hash anew", [EDIT], 5, 5, "line 5 does not follow", range(4, 5)),
    Tampering("text changed, all hashes anew", [EDIT], None, 10, ALIEN, range(4, 11)),
    Tampering("text replaced, all hashes anew", [TORN], 4, 4, "line 4 is not a line of an audit trail", range(4, 11)),
    Tampering("column actor", ["UPDATE audit SET actor = 'U_EVE' WHERE seq = 4"], 4, 4, "«actor» of line 4"),
    Tampering("column at", ["UPDATE audit SET at = at - interval '1 s' WHERE seq = 4"], 4, 4, "«at» of line 4"),
    Tampering("column kind", ["UPDATE audit SET kind = 'run.done' WHERE seq = 4"], 4, 4, "«kind» of line 4"),
    Tampering("column run_id", ["UPDATE audit SET run_id = gen_random_uuid() WHERE seq = 4"], 4, 4, "«run_id» of"),
    Tampering(
        "column incident_id", ["UPDATE audit SET incident_id = gen_random_uuid() WHERE seq = 4"], 4, 4, "«incident_id»"
    ),
    Tampering("deleted in the middle", ["DELETE FROM audit WHERE seq = 4"], 4, 4, "line 4 is missing"),
    Tampering(
        "deleted, the rest moved up",
        ["DELETE FROM audit WHERE seq = 4", *moved(-1, range(5, 11))],
        4,
        4,
        "line 4 does not follow",
    ),
    Tampering(
        "deleted, moved up, all hashes anew",
        ["DELETE FROM audit WHERE seq = 4", *moved(-1, range(5, 11))],
        None,
        10,
        "line 10 is missing: the anchor saw 10 lines",
        range(4, 10),
    ),
    Tampering("the first deleted", ["DELETE FROM audit WHERE seq = 1"], 1, 1, "line 1 is missing"),
    Tampering("the newest deleted", ["DELETE FROM audit WHERE seq > 8"], None, 9, "line 9 is missing: the anchor saw"),
    Tampering("everything deleted", ["DELETE FROM audit"], None, 1, "line 1 is missing: the anchor saw 10 lines"),
    Tampering("two lines swapped", [*moved(96, [4]), *moved(-3, [7]), *moved(-93, [100])], 4, 4, "4 does not follow"),
    Tampering("inserted at the end", [copied(11)], 11, 11, "line 11 does not follow"),
    Tampering("inserted before the first", [copied(0)], 0, 0, "line 0 has no place"),
    Tampering(
        "inserted in the middle, all hashes anew",
        [*moved(1, range(10, 4, -1)), copied(5)],
        None,
        10,
        ALIEN,
        range(5, 12),
    ),
)


async def rehashed(connection: AsyncConnection, lines: range) -> None:
    """The hashes of these lines made to fit."""
    rows = (await connection.execute(text("SELECT seq, body, hash FROM audit ORDER BY seq"))).all()
    change = text("UPDATE audit SET previous = :previous, hash = :digest WHERE seq = :seq")
    previous = GENESIS
    for seq, body, known in rows:
        digest = known
        if seq in lines:
            digest = hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
            await connection.execute(change, {"previous": previous, "digest": digest, "seq": seq})
        previous = digest


async def test_every_tampering_is_found_and_named(store: Store) -> None:
    """A superuser switches the trigger off and edits, deletes, reorders or inserts: the first line that does not fit is
    named; what a chain cannot show by itself is found with an anchor."""
    anchor = await ten_lines(store)
    async with store.snapshot() as connection:
        intact = await audit.verify_chain(connection, [Head(0, GENESIS), anchor, anchor])
    assert (intact, intact.head, intact.anchors) == (ChainReport(10), anchor, 3)
    print(f"\n{'tampering':40} {'chain alone':12} {'with anchor':12} verdict")
    for each in TAMPERINGS:
        async with store.engine.connect() as connection:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_kept"))
            for statement in each.statements:
                await connection.execute(text(statement))
            await rehashed(connection, each.anew)
            alone = await audit.verify_chain(connection)
            anchored = await audit.verify_chain(connection, [anchor])
            await connection.rollback()
        print(f"{each.name:40} {alone.broken_at!s:12} {anchored.broken_at!s:12} {anchored.problem}")
        assert alone.broken_at == each.alone, each.name
        assert anchored.broken_at == each.anchored, each.name
        assert each.words in anchored.problem, each.name
        assert anchored.lines == max(0, each.anchored - 1), each.name
    async with store.snapshot() as connection:
        assert await audit.verify_chain(connection, [anchor]) == ChainReport(10)


async def test_lines_are_read_by_time(store: Store, clock: ManualClock) -> None:
    """From a moment on and before another one, oldest first."""
    start = clock.now()
    for _ in range(3):
        async with store.transaction() as tx:
            tx.record(NOTED)
        clock.pass_(hours=1)
    hour = timedelta(hours=1)
    async with store.snapshot() as connection:
        found = [line.seq async for line in audit.between(connection, start + hour)]
        one = [line.seq async for line in audit.between(connection, start + hour, start + 2 * hour)]
        none = [
            line.seq async for line in audit.between(connection, start, run_id="6b1f9f0e-0000-4000-8000-000000000009")
        ]
    assert (found, one, none) == ([2, 3], [2], [])
