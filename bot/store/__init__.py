"""The bot's own database: tables, migrations, transactions, the outbox and the audit trail."""
