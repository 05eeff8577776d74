"""Staff from the office's directory."""
