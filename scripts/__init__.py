"""Small programs for work on the desk; each is a word of the Makefile."""
