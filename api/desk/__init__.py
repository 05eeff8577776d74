"""What a desk does, over HTTP."""
