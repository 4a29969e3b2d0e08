"""The step kinds against real databases, a local Stripe and real sockets."""
