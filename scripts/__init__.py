"""Small programs for those who work on the desk; each is one word of the Makefile."""
