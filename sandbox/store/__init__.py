"""Where the club is kept: SQLite, in memory or in a file. What the rows mean stands in `api/`."""
