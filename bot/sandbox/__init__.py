"""The sandbox: local stand-ins for the outside world, speaking only its wire formats; used by `runbook sandbox` and by tests."""
