"""Machines that share one database: who acts for which, where a round lives (decision 46)."""
