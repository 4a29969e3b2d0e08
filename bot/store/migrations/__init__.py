"""Alembic migrations of the bot's database; `runbook migrate` runs them."""
