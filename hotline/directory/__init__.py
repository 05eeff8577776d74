"""Staff from the office's directory: who they are there, what they are here, and that they have left."""
