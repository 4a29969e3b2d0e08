"""`runbook audit`, `approvals`, `evidence` and `incident`: the record, for whoever has to trust it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Exit, as_json, fail, in_loop, out
from bot.cli.database import opened_store
from bot.clock import SystemClock
from bot.errors import Mistake
from bot.slack.views import spell
from bot.slack.views.text import one_line

if TYPE_CHECKING:
    from bot.evidence.case import Case, IncidentCase
    from bot.store.approvals import FiledRequest
    from bot.store.audit import ChainReport

audit = typer.Typer(
    help="Verify, export and anchor the audit trail.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

incident = typer.Typer(
    help="Export what is known about incidents.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Until = Annotated[str, typer.Option(help="Up to this day, or before this time, in UTC.")]


class Format(StrEnum):
    """How lines are written."""

    JSONL = "jsonl"
    CSV = "csv"


@audit.command()
def verify(
    anchor: Annotated[Path | None, typer.Option(help="A file of anchors that the trail has to agree with.")] = None,
    json: AsJson = False,
) -> None:
    """Prove that nothing was changed or left out.

    Recomputes the whole chain; ends with 1 if it is broken. That the newest lines are gone is seen only with anchors.
    """
    from bot.evidence.anchoring import anchors_in
    from bot.store import audit as trail

    async def work() -> ChainReport:
        anchors = anchors_in(anchor) if anchor is not None else []
        async with opened_store() as store, store.snapshot() as connection:
            return await trail.verify_chain(connection, anchors)

    report = in_loop(work())
    holds = report.broken_at is None
    if json:
        as_json(_report(report))
    elif holds:
        newest = f", the newest {report.head.hash[:12]}" if report.lines else ""
        agreed = f" {spell.count(report.anchors, 'anchor')} agreed with it." if anchor is not None else ""
        out.print(f"The audit trail holds: {spell.count(report.lines, 'line')}{newest}.{agreed}", markup=False)
    else:
        fits = spell.count(report.lines, "line")
        out.print(f"The audit trail is broken: {report.problem}. {fits} before it fit.", markup=False)
    raise typer.Exit(int(Exit.DONE if holds else Exit.NOT_AS_WISHED))


@audit.command()
def export(
    since: Annotated[str, typer.Option(help="From this day or time on, in UTC.")],
    until: Until = "",
    run: Annotated[int | None, typer.Option(help="Only the lines of the run with this number.")] = None,
    format: Annotated[
        Format, typer.Option(help="jsonl keeps everything exactly; csv is for spreadsheets.")
    ] = Format.JSONL,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
) -> None:
    """Write out the lines of a time.

    With place, hash and the hash before, so that they can be checked without this program.
    """
    from bot.evidence.lines import as_csv_line, as_json_line
    from bot.store import audit as trail
    from bot.store import runs

    async def work() -> int:
        start, end = _span(since, until)
        assert start is not None
        written = 0
        async with opened_store() as store, store.snapshot() as connection:
            found = await runs.by_number(connection, run) if run is not None else None
            if run is not None and found is None:
                raise Mistake(f"There is no run {run}.")
            with _written_to(output) as file:
                file.write(_start(format, output))
                as_line = as_csv_line if format is Format.CSV else as_json_line
                async with aclosing(trail.between(connection, start, end, run_id=found.id if found else None)) as lines:
                    async for line in lines:
                        file.write(as_line(line).encode())
                        written += 1
        return written

    count = in_loop(work())
    if output is not None:
        out.print(f"{spell.count(count, 'line')} written to {output}.", markup=False)


def _start(format: Format, output: Path | None) -> bytes:
    """What stands before the lines; a spreadsheet wants a mark that a file is UTF-8."""
    from bot.evidence.lines import csv_header

    return (csv_header().encode("utf-8-sig" if output else "utf-8")) if format is Format.CSV else b""


@audit.command("anchor")
def anchor_() -> None:
    """Write down where the trail stands now.

    To the file or address in AUDIT_ANCHOR, as the bot itself does every hour.
    """
    from bot.evidence.anchoring import anchor
    from bot.settings import read_settings

    async def work() -> None:
        destination = read_settings().audit_anchor.get_secret_value()
        if not destination:
            fail("AUDIT_ANCHOR is not set.", Exit.MISSING, "docs/settings.md lists every variable.")
        async with opened_store() as store:
            head = await anchor(store, destination, SystemClock().now())
        out.print(f"Anchored {spell.count(head.seq, 'line')}, the newest {head.hash[:12]}.", markup=False)

    in_loop(work())


@incident.command("export")
def export_incident(
    number: Annotated[int, typer.Argument(help="The incident's number.")],
    json: Annotated[bool, typer.Option("--json", help="JSON instead of Markdown.")] = False,
    output: Annotated[Path | None, typer.Option(help="A file; standard output if not said.")] = None,
) -> None:
    """Write all about one incident as Markdown or JSON.

    The Markdown is that of the post-incident review, with people's ids for their names; the JSON is for other tools.
    """
    from json import dumps

    from bot.evidence.case import incident_case
    from bot.evidence.export import exported
    from bot.evidence.review import review
    from bot.store import incidents

    async def work() -> IncidentCase:
        async with opened_store() as store:
            async with store.reading() as connection:
                found = await incidents.by_number(connection, number)
            if found is None:
                raise Mistake(f"There is no incident {number}.")
            return await incident_case(store, found.id)

    case = in_loop(work())
    text = dumps(exported(case), indent=2, ensure_ascii=False) + "\n" if json else review(case, {}, {})
    try:
        with _written_to(output) as file:
            file.write(text.encode("utf-8", "replace"))
    except Mistake as error:
        fail(str(error), Exit.MISTAKE)
    if output is not None:
        out.print(f"{case.incident.label} written to {output}.", markup=False)


def evidence(
    number: Annotated[int, typer.Argument(help="The run's number.")],
    output: Annotated[Path | None, typer.Option(help="The archive; evidence-run-N.zip if not said.")] = None,
) -> None:
    """Put all about one run into an archive.

    What exactly was approved, by whom, having seen what; README.txt in it says what is where and how to check it.
    """
    from bot.evidence.archive import archive
    from bot.evidence.case import case_of
    from bot.evidence.entries import entries

    async def work() -> Case:
        async with opened_store() as store:
            return await case_of(store, number)

    case = in_loop(work())
    made = entries(case)
    path = output or Path(f"evidence-run-{number}.zip")
    try:
        with _written_to(path) as file:
            file.write(archive(made))
    except Mistake as error:
        fail(str(error), Exit.MISTAKE)
    out.print(f"{spell.count(len(made), 'file')} about run {number} written to {path}.", markup=False)
    if case.chain.broken_at is not None:
        fail(f"The audit trail is broken: {case.chain.problem}.", Exit.NOT_AS_WISHED)


def approvals(
    since: Annotated[str, typer.Option(help="From this day or time on, in UTC.")] = "",
    until: Until = "",
    json: AsJson = False,
) -> None:
    """List requests for approval and who approved."""
    from bot.store import approvals as requests

    async def work() -> list[FiledRequest]:
        start, end = _span(since, until)
        async with opened_store() as store, store.reading() as connection:
            return list(await requests.filed(connection, since=start, until=end))

    found = in_loop(work())
    if json:
        as_json([_brief(each) for each in found])
        return
    if not found:
        out.print("No approval was asked for.")
        return
    rows = [("when (UTC)", "run", "action", "state", "approved by", "digest"), *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print("  ".join(cells).rstrip(), markup=False)


def _row(filed: FiledRequest) -> tuple[str, ...]:
    from bot.evidence.judged import approvers

    request = filed.request
    people = approvers(request, filed.votes)
    who = ", ".join(one_line(f"{person.name} {person.id}") for person in people) or "–"
    when = f"{request.requested_at:%Y-%m-%d %H:%M}"
    return when, str(filed.run_number), one_line(request.action), request.state, who, request.digest[:12]


def _brief(filed: FiledRequest) -> dict[str, Any]:
    from bot.evidence.judged import approvers

    request = filed.request
    return {
        "request": request.id,
        "run": filed.run_number,
        "action": request.action,
        "state": request.state,
        "reason": filed.reason,
        "asked_by": request.requested_by,
        "asked_at": request.requested_at.isoformat(),
        "decided_at": None if filed.decided_at is None else filed.decided_at.isoformat(),
        "approved_by": [{"id": each.id, "name": each.name} for each in approvers(request, filed.votes)],
        "digest": request.digest,
    }


def _report(report: ChainReport) -> dict[str, Any]:
    head = report.head
    return {
        "holds": report.broken_at is None,
        "lines": report.lines,
        "broken_at": report.broken_at,
        "problem": report.problem,
        "head": {"seq": head.seq, "hash": head.hash, "at": None if head.at is None else head.at.isoformat()},
        "anchors": report.anchors,
    }


def _span(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    start = _moment(since) if since else None
    end = _moment(until, last=True) if until else None
    if start is not None and end is not None and start >= end:
        raise Mistake(f"«{since}» is not before «{until}».")
    return start, end


def _moment(said: str, *, last: bool = False) -> datetime:
    """The start of a day, or with `last` its end, or an exact time; UTC where nothing else is said."""
    try:
        if "T" not in said and ":" not in said:
            day = date.fromisoformat(said) + timedelta(days=1 if last else 0)
            return datetime.combine(day, time(), UTC)
        moment = datetime.fromisoformat(said)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Mistake(
            f"«{said}» is not a day or a time.", hint="Like 2026-11-21, or 2026-11-21T14:30 in UTC."
        ) from None


@contextmanager
def _written_to(path: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is there whole or not at all, for its owner's eyes only. Raises `Mistake`."""
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(fd, "wb") as file:
                yield file
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror or error}.") from error
