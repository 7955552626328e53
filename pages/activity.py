"""Activity: every operation with AmoCRM, and what to check when one failed."""

from ui import activity as view

kind = view.choose_kind()
view.live(kind)
