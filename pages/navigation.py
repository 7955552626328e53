"""The script Streamlit runs for every page: the frame.

Lives inside `pages/` on purpose.

With a script beside a folder called `pages/`, a fresh Streamlit server serves a deep link straight from that
folder, past the script and past any check in it; with the script inside the folder it does not. A test opens
every address as the very first visitor of a fresh server.
"""

import sys
from pathlib import Path

# `streamlit run` puts this folder on the path, not the one above it, where crm and ui are.
if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)

from ui.frame import frame

frame.draw()
