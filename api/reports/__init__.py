"""Reports, the wallboard, the audit log, over HTTP."""
