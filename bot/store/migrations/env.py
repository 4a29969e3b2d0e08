"""Alembic's entry: runs the migrations on the connection that `bot.store.migrate` hands over."""

from alembic import context

from bot.store.tables import metadata


def include(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the queue's own tables when migrations and tables are compared."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, include_name=include)
with context.begin_transaction():
    context.run_migrations()
