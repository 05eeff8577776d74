"""Nodes: machines that share one database, each with its own Asterisk; leases and homes of rounds (decision
46).
"""
