"""From text that a person wrote to a `Runbook`: reading, checking, templates, search and the schema for editors."""
