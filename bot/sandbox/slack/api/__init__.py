"""The web API at `/api/<method>`: one file per family of methods, one table of them all."""
