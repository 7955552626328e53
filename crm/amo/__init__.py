"""A thin client of AmoCRM's REST API v4: one door out, one file per resource.

`door.Door` is the only place that sends anything. `client.Client` adds the account's address and the
token. Every resource file names a path, a verb and parameters, and nothing else. What the answers mean
to the club is not decided here.
"""
