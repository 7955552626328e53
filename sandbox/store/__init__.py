"""The store of the club: SQLite, in memory or in a file. The meaning of the rows stands in `api/`."""
