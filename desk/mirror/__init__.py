"""The local copy of AmoCRM's leads, and how it follows AmoCRM. Screens read it and never wait for AmoCRM.

first fill ─► everything, the newest first, as fast as seven requests a second allow; resumed where it was stopped
then       ─► a hint (a webhook, our own delivery): that one is fetched again, at once
              a round every half minute: what changed since the last, with overlap; it finds what no hint told
              now and then: the bin, the stage history, stages and people
              every night: AmoCRM's own count beside ours; where they differ, that stretch is read anew

shape.py    one lead, one contact of AmoCRM as a row of ours: pure
rows.py     the tables: what came is kept, unless something newer is there
collections.py  how whole collections are read while they change
fill.py     the first reading of everything
follow.py   the rounds
tasks.py    tasks on leads, which move no time of their leads
walks.py    how far each reading is, and which process keeps the mirror
status.py   how far it is, for people
mirror.py   the door for other rooms, and the thread that does all this
"""

from desk.mirror.mirror import ACCOUNT, Mirror
from desk.mirror.status import MirrorStatus

__all__ = ["ACCOUNT", "Mirror", "MirrorStatus"]
