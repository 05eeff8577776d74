"""Requests and departments, over HTTP."""
