"""What tests of several rooms need: edits of AmoCRM at random, the truth about it in plain Python, a loop for a moment."""
