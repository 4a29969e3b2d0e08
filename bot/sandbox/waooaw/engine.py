"""The docker and git of the sample system: what they answer while everything is well, and pieces for its faults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.sandbox.programs import ANY, Answer
from bot.sandbox.sample import Ground

SCHEDULER, BACKEND, REDIS = "plant-scheduler", "plant-backend", "redis"
LOGS = ("compose", "logs", "--no-color", "--no-log-prefix", "--timestamps", "--since", ANY)
PYTHON = ("compose", "exec", "-T", BACKEND, "python", "-m")
HEALTH = "src.Plant.BackEnd.health"
DUMP = "/tmp/scheduler_memdump.txt"
SEARCH = ("grep", "--line-number", "--extended-regexp", r"(= |next\()get_db\(\)", "--", "src")


def docker(*arguments: str, out: str = "", err: str = "", code: int = 0, then: Sequence[Answer] = ()) -> Answer:
    """What docker says to these arguments."""
    return Answer("docker", arguments, out, err, code, then=then)


def container(name: str, state: str = "running", status: str = "Up 3 days (healthy)") -> Answer:
    """What `docker ps` says of a container; an empty state is one that is not there."""
    line = json.dumps({"Names": name, "State": state, "Status": status, "Image": f"waooaw/{name}:2026.02"})
    out = f"{line}\n" if state else ""
    return docker("ps", "--all", "--filter", f"name={name}", "--format", "json", out=out)


def processes(*commands: str) -> Answer:
    """What runs inside the scheduler's container."""
    head = "UID                 PID                 PPID                C                   CMD"
    lines = [f"waooaw              {4100 + place}                4080                0                   {command}"
             for place, command in enumerate(commands)]  # fmt: skip
    return docker("top", SCHEDULER, out="\n".join([head, *lines, ""]))


def memory(name: str, percent: float, used: str, limit: str = "2GiB") -> Answer:
    """One sample of a container's memory."""
    said = {"Name": name, "MemPerc": f"{percent:.2f}%", "MemUsage": f"{used} / {limit}", "CPUPerc": "3.10%"}
    return docker("stats", "--no-stream", "--format", "json", name, out=json.dumps(said) + "\n")


def log(service: str, *lines: tuple[int, str]) -> Answer:
    """A service's log of the last hours: (minutes ago, text) each, oldest first."""
    now = datetime.now(UTC)
    out = "".join(
        f"{(now - timedelta(minutes=ago)).isoformat(timespec='milliseconds')} {text}\n" for ago, text in lines
    )
    return docker(*LOGS, service, out=out)


def scheduler_report(*, running: bool = True, heartbeat: str = "14 seconds", late: bool = False) -> Answer:
    """The scheduler's own report, as the module prints it."""
    lines = [
        f"{'✓' if running else '✗'} Scheduler running: {'Yes' if running else 'No'}",
        f"{'✗' if late else '✓'} Last heartbeat: {heartbeat} ago",
        "✓ Pending goals: 18",
        "✓ Running goals: 3",
        "",
    ]
    return docker(*PYTHON, f"{HEALTH}.scheduler_health", out="\n".join(lines))


def pool(active: int, idle: int, *, most: int = 40, overflow: int = 0) -> Answer:
    """The connection pool's report, as the module prints it."""
    out = f"Pool Size: {active + idle}/{most}\nActive: {active}\nIdle: {idle}\nOverflow: {overflow}\n"
    return docker(*PYTHON, f"{HEALTH}.connection_pool_status", out=out)


def exchange(*, works: bool, said: str = "") -> Answer:
    """The test of a customer's connection to the exchange, as the script prints it."""
    test = (*PYTHON, "src.Plant.BackEnd.scripts.test_exchange_connection", "--customer_id", ANY)
    out = "✓ API key accepted\n✓ Signature accepted\n✓ Permissions: read, trade\n" if works else ""
    return docker(*test, out=out, err=f"✗ {said}\n" if said else "", code=0 if works else 1)


def redis(*arguments: str, out: str, code: int = 0, err: str = "") -> Answer:
    """What redis-cli says inside its container."""
    return docker("compose", "exec", "-T", REDIS, "redis-cli", *arguments, out=out, code=code, err=err)


def kept(*, there: bool = True) -> Answer:
    """What the bot's machine says of the memory profile that was kept."""
    looked = ("-l", "--time-style=+%s", ANY)
    if there:
        return Answer("ls", looked, "-rw-r--r-- 1 runbook runbook 48211 4102444800 scheduler_memdump.txt\n")
    return Answer("ls", looked, err="ls: cannot access the file: No such file or directory\n", code=2)


def scheduler_up() -> tuple[Answer, ...]:
    """Everything that says that the scheduler runs."""
    return (
        container(SCHEDULER),
        processes("python -m src.Plant.Scheduler.main"),
        memory(SCHEDULER, 41.0, "840MiB"),
        scheduler_report(),
        log(SCHEDULER, (50, "INFO heartbeat"), (10, "INFO goal executed"), (1, "INFO heartbeat")),
    )


def scheduler_started() -> tuple[Answer, ...]:
    """The same, just after a restart."""
    return (
        container(SCHEDULER, status="Up 20 seconds (healthy)"),
        processes("python -m src.Plant.Scheduler.main"),
        memory(SCHEDULER, 12.0, "246MiB"),
        scheduler_report(heartbeat="3 seconds"),
        log(SCHEDULER, (1, "INFO Scheduler started"), (0, "INFO heartbeat")),
    )


def restart(*services: str, then: Sequence[Answer] = ()) -> Answer:
    """A restart, and what is true from then on."""
    err = "".join(f" Container {each}  Started\n" for each in services)
    return docker("compose", "restart", *services, err=err, then=then)


def restarts(ground: Ground, service: str) -> int:
    """How often a service was started anew so far."""
    calls = ground.programs.calls()
    return sum(call[1:3] in (["compose", "restart"], ["compose", "up"]) and service in call[3:] for call in calls)


def healthy() -> tuple[Answer, ...]:
    """Everything in order, for every call that the system's file declares to look."""
    ps = "NAME STATUS\nplant-backend Up 3 days\nplant-scheduler Up 3 days\npostgres Up 9 days\nredis Up 9 days\n"
    return (
        docker("compose", "ps", "--all", out=ps),
        container(BACKEND),
        container(REDIS),
        *scheduler_up(),
        memory(BACKEND, 38.0, "1.5GiB", "4GiB"),
        log(BACKEND, (40, "INFO 200 GET /cp/approvals"), (2, "INFO 200 GET /health")),
        pool(8, 12),
        exchange(works=True),
        docker(*PYTHON, f"{HEALTH}.full_diagnostic", out="✓ database\n✓ redis\n✓ scheduler\n✓ platforms\n"),
        docker(
            "compose",
            "exec",
            "-T",
            SCHEDULER,
            "ls",
            "-l",
            "--time-style=+%s",
            DUMP,
            err=f"ls: cannot access '{DUMP}': No such file or directory\n",
            code=2,
        ),
        docker("compose", "cp", f"{SCHEDULER}:{DUMP}", ANY, then=(kept(),)),
        kept(there=False),
        redis("ping", out="PONG\n"),
        redis("dbsize", out="1284\n"),
        redis("info", "memory", out="used_memory_human:38.20M\nmaxmemory_human:256.00M\n"),
        restart(SCHEDULER, then=scheduler_started()),
        restart(BACKEND),
        restart(REDIS),
        Answer("git", SEARCH, code=1),
    )


def install(ground: Ground) -> Mapping[str, str]:
    """Put both programs in place; the variables that name them."""
    return {
        "WAOOAW_DOCKER": ground.programs.install("docker"),
        "WAOOAW_GIT": ground.programs.install("git"),
        "WAOOAW_LS": ground.programs.install("ls"),
        "WAOOAW_COMPOSE_FOLDER": str(ground.programs.folder),
        "WAOOAW_SOURCE_FOLDER": str(ground.programs.folder),
    }
