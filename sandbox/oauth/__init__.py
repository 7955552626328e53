"""OAuth 2.0 as AmoCRM does it (sheet 3): consent, codes, token pairs, the account's address."""
