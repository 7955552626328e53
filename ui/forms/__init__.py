"""The page Site forms: the cards of forms, the drawers for changing them, the log of submissions."""
