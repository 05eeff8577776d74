"""Text messages that citizens send."""
