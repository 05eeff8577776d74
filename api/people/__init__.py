"""People, their accounts and signing in, over HTTP."""
