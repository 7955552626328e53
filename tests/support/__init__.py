"""What tests of several rooms need: edits of AmoCRM at random, and the truth about it in plain Python."""
