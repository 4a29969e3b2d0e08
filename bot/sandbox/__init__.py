"""The sandbox: local stand-ins for the outside world that speak only its wire formats; for demos and tests."""
