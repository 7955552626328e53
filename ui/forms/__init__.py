"""The page Site forms: the cards of forms, the drawers in which they are changed, the log of submissions."""
