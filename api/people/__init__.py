"""HTTP routes of people, their accounts and signing in."""
