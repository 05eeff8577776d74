"""HTTP routes of requests and departments."""
