"""What a department sees and does, over HTTP: its own inbox."""
