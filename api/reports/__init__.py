"""HTTP routes of reports, the wallboard and the audit log."""
