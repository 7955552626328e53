"""The desk without headers, gate and proof, to measure their cost; see `benchmarks.doors`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

import dashboard
from desk.desk import the_desk
from desk.web.routes import routes

app = st.App(
    dashboard.ROOT / "pages" / "navigation.py",
    routes=routes(the_desk),
    lifespan=dashboard.lifespan,
    on_script_error=dashboard.script_error,
)
