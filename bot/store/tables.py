"""The tables of the bot's database; the migrations must give the same (a test compares them)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Id(TypeDecorator[str]):
    """An id as text. What is no id at all (it may come from a button made by hand) is asked for as NULL: nothing has
    it, and nothing can be stored under it."""

    impl = Uuid(as_uuid=False)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """The id as PostgreSQL takes it."""
        try:
            return None if value is None else str(uuid.UUID(str(value)))
        except ValueError:
            return None


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


versions = Table(
    "runbook_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("runbook", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("system_document", Text, nullable=False),
    _time("stored_at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("system", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("target_seconds", Integer, nullable=False),
    Column("opened_by", Text, nullable=False),
    _time("opened_at"),
    Column("state", Text, nullable=False),
    Column("channel", Text),
    Column("channel_name", Text, nullable=False),
    Column("commander", Text, nullable=False, server_default=""),
    _time("resolved_at", nullable=True),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    _time("acknowledged_at", nullable=True),
    Column("ladder", Text, nullable=False, server_default="", comment="the key of its escalation ladder"),
    Column("rungs", Integer, nullable=False, server_default="0", comment="how many of its rungs have been called"),
    _time("called_at", nullable=True),
    Column("due", DateTime(timezone=True), comment="when the next rung is called; empty when the clock stands"),
    Column("origin", Text, nullable=False, server_default="", comment="what opened it; empty for a person"),
    Column("private", Boolean, nullable=False, server_default="false"),
    Column("suggestions", JSONB, nullable=False, server_default="[]", comment="the runbooks its origin speaks for"),
    Column("merged_into", ForeignKey("incidents.id"), index=True, comment="the incident this is a duplicate of"),
    Column("related", JSONB, nullable=False, server_default="[]", comment="ids of incidents that people have linked"),
    Column("digests", Integer, nullable=False, server_default="0", comment="how many digests have been posted"),
    Column("digest_seq", BigInteger, nullable=False, server_default="0", comment="the newest line the last one told"),
    _time("digest_due", nullable=True),
    Index("ix_incidents_open", "state", "opened_at"),
    Index("ix_incidents_due", "due"),
    Index("ix_incidents_digest_due", "digest_due"),
    Index(
        "uq_incidents_origin",
        "system",
        "origin",
        unique=True,
        postgresql_where=text("state = 'open' AND origin <> ''"),
    ),
)

pages = Table(
    "pages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("rung", Integer, nullable=False, comment="counted from 1"),
    Column("name", Text, nullable=False, comment="the contact or group"),
    Column("event", Text, nullable=False, comment="called, acknowledged or resolved"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", Text, nullable=False, server_default=""),
    _time("asked_at"),
    Column("due", DateTime(timezone=True), comment="when it is tried; empty when nothing is left to do"),
    Index("uq_pages_once", "incident_id", "rung", "name", "event", unique=True),
    Index("ix_pages_due", "due"),
)

action_items = Table(
    "action_items",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("due", Date),
    Column("state", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    _time("added_at"),
    Column("ended_by", Text, nullable=False, server_default=""),
    _time("ended_at", nullable=True),
    _time("reminded_at", nullable=True),
    Index("ix_action_items_open", "state", "owner"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("request_key", Text, nullable=False, unique=True, comment="one command starts one run"),
    Column("incident_id", ForeignKey("incidents.id"), index=True),
    Column("runbook", Text, nullable=False),
    Column("version", ForeignKey("runbook_versions.version"), nullable=False),
    Column("inputs_digest", Text, nullable=False, comment="finds the last run of this runbook with these inputs"),
    Column("requested_by", Text, nullable=False),
    _time("requested_at"),
    Column("state", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("due", DateTime(timezone=True), comment="when a worker is wanted; empty while only a person can go on"),
    _time("finished_at", nullable=True),
    Column("lease_owner", Text),
    Column(
        "lease_token", BigInteger, nullable=False, server_default="0", comment="fences a worker that lost its lease"
    ),
    _time("lease_until", nullable=True),
    Column("support", Boolean, nullable=False, server_default="false", comment="started for support"),
    Index("ix_runs_live", "state"),
    Index("ix_runs_due", "due"),
    Index("ix_runs_previous", "runbook", "inputs_digest", "number"),
)

facts = Table(
    "facts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("check_key", Text, primary_key=True),
    Column("fact", JSONB, nullable=False),
    _time("at"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("policy", JSONB, nullable=False),
    Column("requested_by", Text, nullable=False),
    _time("requested_at"),
    _time("expires_at"),
    Column("state", Text, nullable=False),
    _time("decided_at", nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("parts", JSONB, nullable=False, comment="what would be done, action by action"),
    Column("target", Text, nullable=False, server_default=""),
    _time("opens_at", nullable=True),
    _time("closes_at", nullable=True),
    Column("askers", JSONB, nullable=False, server_default="[]", comment="all who had a hand in asking"),
    Column("stale", Text, nullable=False, server_default="", comment="why what was shown is to be shown anew"),
    Index("ix_approvals_open", "state", "target"),
)

votes = Table(
    "votes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("request_id", ForeignKey("approvals.id"), nullable=False, index=True),
    Column("person", JSONB, nullable=False),
    Column("choice", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _time("at"),
    Column("proof", Text, nullable=False, server_default="none"),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("secret", Text, nullable=False, comment="encrypted"),
    _time("enrolled_at"),
    Column("last_step", BigInteger, nullable=False, server_default="0", comment="a code is good once"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _time("failed_at", nullable=True),
)

effects = Table(
    "effects",
    metadata,
    Column("key", Text, primary_key=True, comment="run:action:digest; the same effect never happens twice"),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("receipt", JSONB),
    _time("intended_at"),
    _time("ended_at", nullable=True),
)

target_locks = Table(
    "target_locks",
    metadata,
    Column("target", Text, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("action", Text, nullable=False),
    _time("taken_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _time("at"),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("run_id", Uuid(as_uuid=False), index=True),
    Column("incident_id", Uuid(as_uuid=False), index=True),
    Column("body", Text, nullable=False, comment="canonical JSON, the text that was hashed"),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("incident_id", Uuid(as_uuid=False)),
    Column("run_id", Uuid(as_uuid=False)),
    Column("body", JSONB, nullable=False),
    _time("created_at"),
    _time("not_before", nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", Text, nullable=False, server_default=""),
    Index("ix_outbox_order", "incident_id", "id"),
)

posts = Table(
    "posts",
    metadata,
    Column("key", Text, primary_key=True, comment="what the message shows, e.g. run:<id> or headline:<id>"),
    Column("channel", Text, nullable=False),
    Column("ts", Text, nullable=False),
    _time("posted_at"),
)

presses = Table(
    "presses",
    metadata,
    Column("key", Text, primary_key=True, comment="Slack's own name of what was pressed or sent, once"),
    _time("at"),
    Index("ix_presses_at", "at"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("runbook", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("version", Text, primary_key=True, comment="the content hash that runs keep"),
    Column("system", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    _time("at"),
    Column("detail", Text, nullable=False),
    _time("last_passed", nullable=True),
    Index("ix_proofs_system", "system"),
)

monitors = Table(
    "monitors",
    metadata,
    Column("system", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),
    _time("since", nullable=True),
    _time("last_at", nullable=True),
    _time("next_at", nullable=True),
    Column("looking_until", DateTime(timezone=True), comment="a worker is on its way to look; until then no other is"),
    Column("body", JSONB, nullable=False, comment="all that is known of it, with its last values"),
    Index("ix_monitors_next_at", "next_at"),
)

windows = Table(
    "windows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("system", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("mutes", JSONB, nullable=False, comment="the monitors that page nobody while it is open; none means all"),
    _time("starts_at"),
    _time("ends_at"),
    _time("announced_at", nullable=True),
    _time("started_at", nullable=True),
    _time("ended_at", nullable=True),
    Column("opened_by", Text, nullable=False),
    Column("ended_by", Text, nullable=False, server_default=""),
    Index("uq_windows_occurrence", "system", "key", "starts_at", unique=True),
    Index("ix_windows_ended_at", "ended_at"),
)

appointments = Table(
    "appointments",
    metadata,
    Column("system", Text, primary_key=True),
    Column("key", Text, primary_key=True, comment="the appointment of its calendar; empty for the month itself"),
    Column("at", DateTime(timezone=True), primary_key=True, comment="when it came round; once, whoever looks"),
    Column("state", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("run_id", ForeignKey("runs.id"), index=True),
    _time("started_at", nullable=True),
    Column("reminders", Integer, nullable=False, server_default="0"),
    _time("reminded_at", nullable=True),
    Column("problem", Text, nullable=False, server_default="", comment="why nothing was started"),
    Column("drill", Text, nullable=False, server_default="", comment="the runbook chosen for a fire drill"),
    _time("drilled_at", nullable=True),
)

alert_arrivals = Table(
    "alert_arrivals",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("alert", JSONB, nullable=False),
    _time("at"),
    Column("problem", Text, nullable=False, server_default="", comment="why it was set aside"),
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("key", Text, primary_key=True, comment="the sender's own name of what it delivered, once"),
    _time("at"),
    Index("ix_alert_deliveries_at", "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("source", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("system", Text, nullable=False, comment="the system of its source"),
    Column("name", Text, nullable=False),
    Column("alert", JSONB, nullable=False, comment="what was last said of it"),
    Column("state", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, comment="by the sender's clock"),
    _time("first_at"),
    _time("last_at"),
    Column("count", BigInteger, nullable=False, comment="how often it was said to fire"),
    Column("changes", JSONB, nullable=False, server_default="[]", comment="when it lately changed"),
    Column("flapping", Boolean, nullable=False, server_default="false"),
    Column("incident_id", ForeignKey("incidents.id"), index=True),
    _time("told_at", nullable=True),
    Index("ix_alerts_name", "source", "name"),
    Index("ix_alerts_flapping", "flapping", postgresql_where=text("flapping")),
)
