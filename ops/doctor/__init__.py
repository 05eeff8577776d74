"""Command hotline137 doctor: faults of this installation and their remedies. The command changes nothing."""
