"""Staff: accounts, roles, second factors, wallboard screens."""
