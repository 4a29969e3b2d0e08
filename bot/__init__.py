"""Runbook Bot: incident runbooks that run in Slack, changed only after an approver's click."""
