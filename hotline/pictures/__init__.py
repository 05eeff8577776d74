"""Pictures of what is broken and of what was mended: taken in, kept, shown, deleted."""
