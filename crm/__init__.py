"""A thin client of AmoCRM's REST API v4: one door out, one file for each resource, and the connection that keeps tokens alive.

    connection ─► token ─► client ─► door ─► wire ─► AmoCRM
                              ▲         └─ limiter, journal
    leads, contacts, notes …──┘

`door.Door` is the only place that sends anything. `client.Client` adds the account's address and the token. A resource's
file names a path, a verb and parameters, and nothing else. What the answers mean to the club is decided in `desk`, which
this package does not know; of ours it imports `store` alone.
"""
