"""What every page stands in: menu, sidebar, lights, words, formats, and the small parts that pages draw alike."""
