"""A second desk on the same database, for tests: `python -m tests.desk.intake.worker FOLDER THREADS`.

Says "ready"; to each line it is given, a JSON request {"json", "headers"}, it posts that from all its threads at the same
moment and answers with a JSON list of [status, body].
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from desk.desk import Desk
from desk.settings import load
from tests.desk.web.conftest import client_of


def main(folder: str, threads: str) -> None:
    desk = Desk(load(folder=Path(folder)))
    clients = [client_of(desk) for _ in range(int(threads))]
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        start, answers = threading.Barrier(len(clients)), []

        def post(client, request=request, start=start, answers=answers):
            start.wait()
            answer = client.post("/api/crm", **request)
            answers.append([answer.status_code, answer.json()])

        running = [threading.Thread(target=post, args=(client,)) for client in clients]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
