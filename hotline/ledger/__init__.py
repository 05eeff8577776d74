"""Who stands where, written down so that nobody can change it unseen."""
