"""The proof that an approved change takes effect at most once, whatever is killed, cut or clicked."""
