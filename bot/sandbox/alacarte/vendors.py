"""The vendors of the sample system as they answer: Supabase's Management API, Auth and Storage, Twilio, status pages,
and git."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from bot.sandbox.alacarte import vendor_storage
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground
from bot.sandbox.services import OPERATIONAL, Asked, Reply

PROJECT = "/supabase/v1/projects/jrtlrnfdqfkjlkpfirzr"
LOGIN = "/auth/v1/token"
AUTH_HEALTH = "/auth/v1/health"
SETTINGS = "/auth/v1/settings"
ACCOUNTS = "/twilio/2010-04-01/Accounts.json"
PAGES: Mapping[str, tuple[str, ...]] = {
    "supabase": ("API Gateway", "Auth", "Database", "Edge Functions", "Realtime", "Storage"),
    "twilio": ("SMS", "Programmable Voice", "REST API"),
}
PARTS = ("auth", "db", "pooler", "realtime", "rest", "storage")
FUNCTIONS = ("stripe-webhook", "whatsapp-webhook", "sms-send", "email-send-smtp", "email-sync", "call-outbound")
SOURCES = ("auth_logs", "realtime_logs", "storage_logs")
CALLS = 240
LOG = ("log", "--since=2 hours ago", "--format=%h %cI %an: %s", "--", "supabase/functions/")
HEAD = "5c1d0e7b2f9a4836d1c7e5b09a2f4d6813c0b7ea"
REVERTED = "d3b6a0f4c85e17920fbd64a1c2e98573fb0a11ce"
PUSH = ("push", "origin", "HEAD:main")
_FUNCTION = re.compile(r"function_id = '([a-z-]+)'")
_SOURCE = re.compile(r"from ([a-z]+_logs)")

Lines: TypeAlias = Sequence[tuple[float, str]]
WELL: Lines = tuple((0.5 + 7 * n, f'{{"status": 200, "request": "{n}"}}') for n in range(6))


@dataclass(frozen=True)
class Commit:
    """A commit in the functions' folder, so many minutes ago."""

    sha: str
    minutes: float
    subject: str

    def line(self) -> str:
        """As `git log` shows it."""
        return f"{self.sha} {_at(self.minutes).isoformat(timespec='seconds')} {self.subject}"


@dataclass(frozen=True)
class Vendors:
    """What the vendors say. `serve` makes it so; only what differs from good health is given.

    `unwell` are parts of the project that are not healthy, `components` parts of a status page that are not
    operational, `errors` by function how many of its last calls failed (until the functions are pushed anew), `logs` by
    function or source what was written and how many minutes ago, `refused` paths that answer 401 and `broken` those
    that answer 503, `commits` what was deployed last; `behind` is whether our clone lacks some of it, `backups` how
    many hours ago the good ones were made.
    """

    unwell: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[tuple[str, str], str] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    logs: Mapping[str, Lines] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    commits: tuple[Commit, ...] = ()
    behind: bool = False
    backups: tuple[float, ...] = tuple(7.0 + 24 * n for n in range(7))

    def serve(self, ground: Ground) -> None:
        """From now on the ground's services and programs answer so."""
        for source in (*FUNCTIONS, *SOURCES):
            lines = self.logs.get(source, WELL if source in FUNCTIONS else ())
            ground.log(source, *(f"{_at(minutes).isoformat()} {text}" for minutes, text in sorted(lines, reverse=True)))
        for page, names in PAGES.items():
            shown = [{"name": name, "status": self.components.get((page, name), "operational")} for name in names]
            ground.services.answer("GET", f"/status/{page}/api/v2/components.json", Reply(json={"components": shown}))
            down = any(owner == page for owner, _ in self.components)
            ground.services.statuses[page] = "major" if down else OPERATIONAL
        self._addresses(ground)
        self._management(ground)
        self._git(ground)
        vendor_storage.serve(ground)

    def _addresses(self, ground: Ground) -> None:
        wrong_password = {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}
        healthy = {
            ("GET", SETTINGS): Reply(json={"external": {"email": True}, "disable_signup": False}),
            ("GET", AUTH_HEALTH): Reply(json={"name": "GoTrue", "version": "v2.180.0"}),
            ("POST", LOGIN): Reply(400, json=wrong_password),
            ("GET", ACCOUNTS): Reply(json={"accounts": [{"status": "active"}]}),
        }
        for (method, path), reply in healthy.items():
            status = 401 if path in self.refused else 503 if path in self.broken else 0
            ground.services.answer(method, path, Reply(status, json={"code": status}) if status else reply)

    def _management(self, ground: Ground) -> None:
        restart = f"{PROJECT}/config/realtime/shutdown"

        async def health(_: Asked) -> Any:
            restarted = any(asked.path == restart for asked in ground.services.asked)
            unwell = {} if restarted else self.unwell
            return [
                {"name": name, "healthy": name not in unwell, "status": unwell.get(name, "ACTIVE_HEALTHY")}
                for name in PARTS
            ]

        async def logs(asked: Asked) -> Any:
            wanted = asked.query.get("sql", "")
            return {"result": self._rates(ground) if "countif" in wanted else _lines(ground, wanted)}

        ground.services.answer("GET", f"{PROJECT}/health", Reply(then=health, token=True))
        ground.services.answer("GET", f"{PROJECT}/analytics/endpoints/logs.all", Reply(then=logs, token=True))
        kept = [{"status": "COMPLETED", "inserted_at": _at(60 * hours).isoformat()} for hours in self.backups]
        ground.services.answer("GET", f"{PROJECT}/database/backups", Reply(json={"backups": kept}, token=True))
        ground.services.answer("POST", restart, Reply(204, text="", token=True))

    def _git(self, ground: Ground) -> None:
        def at_head(*, own: str, theirs: str, ahead: str = "") -> tuple[Answer, ...]:
            return (
                Answer("git", ("rev-parse", "HEAD"), f"{own}\n"),
                Answer("git", ("ls-remote", "origin", "refs/heads/main"), f"{theirs}\trefs/heads/main\n"),
                Answer("git", ("log", "--format=%h %s", "origin/main..HEAD"), ahead),
            )

        pushed = at_head(own=REVERTED, theirs=REVERTED)
        reverted = at_head(own=REVERTED, theirs=HEAD, ahead=f"{REVERTED[:7]} Revert\n")
        programs = ground.programs
        programs.install("git")
        programs.answer(
            Answer("git", ("status", "--porcelain")),
            *at_head(own=HEAD, theirs=REVERTED if self.behind else HEAD),
            Answer("git", LOG, "".join(f"{each.line()}\n" for each in self.commits)),
            Answer("git", ("revert", "--no-edit", "*"), f"[main {REVERTED[:7]}] Revert\n", then=reverted),
            Answer("git", PUSH, err="   5c1d0e7..d3b6a0f  HEAD -> main\n", then=pushed),
        )

    def _rates(self, ground: Ground) -> list[dict[str, Any]]:
        """The last calls of each function and how many failed."""
        pushed = ["git", *PUSH] in ground.programs.calls()
        rows = []
        for name in FUNCTIONS:
            failed = 0 if pushed else self.errors.get(name, 0)
            rows.append({"function": name, "calls": CALLS, "errors": failed, "percent": round(100 * failed / CALLS, 1)})
        return sorted(rows, key=lambda row: -float(str(row["errors"])))


def environment(ground: Ground) -> dict[str, str]:
    """The variables of the system's file that lead to the vendors."""
    base = ground.services.url
    return {
        "ALACARTE_PROJECT_URL": base,
        "ALACARTE_ANON_KEY": "anon-of-the-sample-project",
        "ALACARTE_FRONTEND_ANON_KEY": "anon-of-the-sample-project",
        "ALACARTE_SUPABASE_URL": f"{base}/supabase",
        "ALACARTE_SUPABASE_TOKEN": f"Bearer {ground.services.token}",
        "ALACARTE_STORAGE_URL": f"{base}/storage/v1",
        "ALACARTE_STORAGE_TOKEN": f"Bearer {ground.services.token}",
        "ALACARTE_TWILIO_URL": f"{base}/twilio",
        "ALACARTE_TWILIO_TOKEN": "Basic QUMwMDAwMDA6c2FtcGxl",
        **{f"ALACARTE_{page}_STATUS_URL": f"{base}/status/{page.lower()}" for page in ("SUPABASE", "TWILIO", "META")},
        "ALACARTE_RESEND_STATUS_URL": f"{base}/status/resend",
        "ALACARTE_GIT_PROGRAM": str(ground.programs.folder / "git"),
        "ALACARTE_REPOSITORY": str(ground.programs.folder),
    }


def _lines(ground: Ground, wanted: str) -> list[dict[str, Any]]:
    """What the asked function, all functions or another source wrote: each has its file in the folder of logs."""
    function, source = _FUNCTION.search(wanted), _SOURCE.search(wanted)
    if function is not None:
        names: tuple[str, ...] = (function.group(1),)
    else:
        names = FUNCTIONS if source is None or source.group(1) == "function_logs" else (source.group(1),)
    paths = [ground.logs / f"{name}.log" for name in names]
    lines = [line for path in paths if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]
    parted = (line.partition(" ") for line in lines)
    return [
        {"timestamp": int(datetime.fromisoformat(at).timestamp() * 1_000_000), "event_message": text}
        for at, _, text in parted
    ]


def _at(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)
