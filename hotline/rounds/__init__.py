"""Rounds: planned, announced, held; whose they are and who may serve them."""
