"""hotline137 doctor: what is wrong with this installation, and what to do. It changes nothing."""
