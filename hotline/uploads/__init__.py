"""Uploads: files that citizens send in pieces; after a broken connection the next piece continues."""
