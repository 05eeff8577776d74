"""Pictures of problems and of their solutions: checked, stored, shown, deleted."""
