"""OAuth 2.0 in AmoCRM's way (sheet 3): consent, codes, token pairs, the account's address."""
