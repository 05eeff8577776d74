"""Text messages that the city sends."""
