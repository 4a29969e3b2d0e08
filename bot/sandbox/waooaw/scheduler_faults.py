"""What takes the scheduler down (WA-03): a crash, memory, a lock, the database's pool, Redis."""

from __future__ import annotations

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.api import Api
from bot.sandbox.waooaw.desk import IDS
from bot.sandbox.waooaw.engine import BACKEND, DUMP, REDIS, SCHEDULER, docker, pool, redis, restart
from bot.sandbox.waooaw.sessions import ACTIVE, IN_TRANSACTION, Sessions, change_of_meera
from bot.sandbox.waooaw.state import settled

LATE = engine.scheduler_report(heartbeat="9 minutes", late=True)
NO_REPORT = engine.scheduler_report(running=False, heartbeat="9 minutes", late=True)
NO_PROCESSES = docker("top", SCHEDULER, err="Error response from daemon: container is not running\n", code=1)
LIST_DUMP = ("compose", "exec", "-T", SCHEDULER, "ls", "-l", "--time-style=+%s", DUMP)


async def scheduler_crashed(ground: Ground) -> Planted:
    """WA-03: the process ended with an exception nine minutes ago."""
    await _down(ground, "no heartbeat for 540 s")
    ground.programs.answer(
        engine.container(SCHEDULER, "exited", "Exited (1) 9 minutes ago"),
        NO_PROCESSES,
        NO_REPORT,
        engine.log(
            SCHEDULER,
            (40, "INFO heartbeat"),
            (9, "ERROR Traceback (most recent call last):"),
            (9, "ERROR RuntimeError: dictionary changed size during iteration"),
        ),
    )
    return Planted(IDS)


async def scheduler_gone(ground: Ground) -> Planted:
    """WA-03: there is no container of the scheduler at all: a restart has nothing to restart."""
    await _down(ground, "no heartbeat for 540 s")
    up = docker("compose", "up", "--detach", "--no-deps", SCHEDULER, then=engine.scheduler_started())
    ground.programs.answer(engine.container(SCHEDULER, ""), NO_REPORT, engine.log(SCHEDULER), up)
    return Planted(IDS)


async def scheduler_killed(ground: Ground) -> Planted:
    """WA-03: the kernel killed it for using too much memory."""
    await _down(ground, "no heartbeat for 540 s")
    ground.programs.answer(
        engine.container(SCHEDULER, "exited", "Exited (137) 9 minutes ago"),
        NO_PROCESSES,
        NO_REPORT,
    )
    return Planted(IDS)


async def scheduler_empty(ground: Ground) -> Planted:
    """WA-03: the container is up, and only its entry script is left in it."""
    await _down(ground, "no heartbeat for 540 s")
    ground.programs.answer(engine.processes("/sbin/tini -- sleep infinity"), NO_REPORT)
    return Planted(IDS)


async def scheduler_leaking(ground: Ground) -> Planted:
    """WA-03: 96 % of the memory is used, and the scheduler hardly gets anywhere."""
    await _down(ground, "no heartbeat for 200 s")
    ground.programs.answer(
        engine.memory(SCHEDULER, 96.2, "1.92GiB"),
        LATE,
        engine.log(SCHEDULER, (50, "INFO heartbeat"), (9, "WARNING Out of memory: 1.92 GiB in use, tasks are delayed")),
        _dump(),
    )
    return Planted(IDS)


async def scheduler_filling(ground: Ground) -> Planted:
    """WA-03: it works, and 88 % of its memory is used."""
    await settled(ground)
    ground.programs.answer(
        engine.memory(SCHEDULER, 88.0, "1.76GiB"),
        _dump(),
    )
    return Planted(IDS)


async def scheduler_locked(ground: Ground) -> Planted:
    """WA-03: a backend's session that forgot to commit holds a row, and the scheduler waits for it."""
    await _down(ground, "no heartbeat for 300 s")
    ground.programs.answer(
        LATE, engine.log(SCHEDULER, (50, "INFO heartbeat"), (9, "ERROR could not obtain lock on row: lock timeout"))
    )
    holding = await Sessions().add(ground.database, IN_TRANSACTION, change_of_meera())
    waiting = await Sessions().add(ground.database, ACTIVE, change_of_meera(), program=SCHEDULER)

    async def close() -> None:
        await holding.close()
        await waiting.close()

    return Planted({**IDS, "pid": str(holding.pids[0]), "waiter": str(waiting.pids[0])}, close)


async def scheduler_without_pool(ground: Ground) -> Planted:
    """WA-03: the pool has nothing left for the scheduler; backend and scheduler need a new start."""
    api = await _down(ground, "database: QueuePool limit reached")
    api.scheduler_needs = (BACKEND, SCHEDULER)
    trouble = "ERROR sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 20 reached"
    ground.programs.answer(
        LATE,
        pool(40, 0, overflow=4),
        engine.log(SCHEDULER, (9, trouble), (6, trouble), (3, trouble)),
        restart(BACKEND, SCHEDULER, then=(pool(3, 17), *engine.scheduler_started())),
    )
    return Planted(IDS)


async def scheduler_without_redis(ground: Ground) -> Planted:
    """WA-03: Redis does not answer; it may keep the scheduler's state."""
    api = await _down(ground, "redis: connection refused")
    api.scheduler_needs = (REDIS, SCHEDULER)
    ground.programs.answer(
        LATE,
        redis("ping", out="", err="Could not connect to Redis at 127.0.0.1:6379: Connection refused\n", code=1),
        engine.container(REDIS, "exited", "Exited (137) 12 minutes ago"),
        engine.log(SCHEDULER, (9, "ERROR redis.exceptions.ConnectionError: Error 111 connecting to redis:6379")),
        restart(REDIS, then=(redis("ping", out="PONG\n"), engine.container(REDIS, status="Up 10 seconds"))),
    )
    return Planted(IDS)


async def _down(ground: Ground, reason: str) -> Api:
    api = await settled(ground)
    api.scheduler_error = reason
    return api


def _dump() -> Answer:
    """The signal that makes the scheduler write its memory to a file, and the file there after that."""
    listed = docker(*LIST_DUMP, out=f"-rw-r--r-- 1 waooaw waooaw 48211 4102444800 {DUMP}\n")
    return docker("compose", "kill", "--signal", "SIGUSR1", SCHEDULER, then=(listed,))


FAULTS = {
    "scheduler_crashed": scheduler_crashed,
    "scheduler_gone": scheduler_gone,
    "scheduler_killed": scheduler_killed,
    "scheduler_empty": scheduler_empty,
    "scheduler_leaking": scheduler_leaking,
    "scheduler_filling": scheduler_filling,
    "scheduler_locked": scheduler_locked,
    "scheduler_without_pool": scheduler_without_pool,
    "scheduler_without_redis": scheduler_without_redis,
}
