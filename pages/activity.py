"""Activity: every operation with AmoCRM, and the checks after a failure."""

from ui import activity as view

kind = view.choose_kind()
view.live(kind)
