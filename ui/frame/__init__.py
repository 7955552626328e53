"""The frame around every page: menu, sidebar, lights, words, formats, and parts shared by pages."""
