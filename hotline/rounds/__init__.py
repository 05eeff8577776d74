"""Rounds: planning, notices and phases of rounds, their officials, and permissions."""
