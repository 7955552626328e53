"""The yardstick: a one-page Streamlit app with a pandas table."""

import pandas as pd
import streamlit as st

st.title("Leads")
st.dataframe(pd.DataFrame({"id": range(50), "name": [f"Person {number}" for number in range(50)], "price": range(50)}))
