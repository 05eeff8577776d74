"""Those who work here: accounts, roles, second factors, screens."""
