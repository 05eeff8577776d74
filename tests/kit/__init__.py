"""The test kit: real phones, a real database server, a real browser, and ears to check what they heard."""
