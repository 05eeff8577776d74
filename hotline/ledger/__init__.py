"""The public ledger: facts about lines and requests, recorded so that nobody can change them unnoticed."""
