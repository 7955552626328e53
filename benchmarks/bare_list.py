"""The yardstick of the leads page: a table, a filter and a search over the same queries, and no more."""

import os
import sys
from pathlib import Path

import pandas as pd
import streamlit as st

if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)

from desk.listing import Filter, Listing, Sort
from desk.settings import load
from store import Store


@st.cache_resource
def listing() -> Listing:
    settings = load(os.environ)
    return Listing(Store(settings.database_url), settings.zone)


texts = listing().choices().texts["source"]
search = st.text_input("Search", key="leads.search")
source = st.multiselect("Source", list(texts), format_func=lambda one: texts[one] or "-", key="leads.source")
page = listing().page(Filter(source=tuple(source), search=search), Sort())
st.markdown(f"{page.total} leads")
st.dataframe(
    pd.DataFrame([[row.id, row.created_at, row.name, row.phone, row.source, row.price_kop] for row in page.rows])
)
