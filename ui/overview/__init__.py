"""The page Overview: its choices, its figures, its charts."""
