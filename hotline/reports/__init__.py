"""Statistics, the wallboard, a citizen's history, and the audit log in words."""
