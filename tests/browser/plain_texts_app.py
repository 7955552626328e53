"""Every Streamlit element that reads Markdown, with each of the texts of `test_plain_texts`, made plain."""

import pandas as pd
import streamlit as st

from tests.browser.test_plain_texts import TEXTS
from ui.frame import formats
from ui.overview import charts

for place, text in enumerate(TEXTS):
    shown = formats.plain(text)
    with st.container(key=f"text-{place}"):
        st.markdown(shown)
        st.markdown(f"**{shown}**")
        st.markdown(f":red[{shown}]")
        st.markdown(f"> {shown}")
        st.markdown(f"| {shown} |\n|---|\n| {shown} |")
        st.caption(f"{shown}")
        st.subheader(shown, anchor=False)
        st.button(shown, key=f"b{place}")
        st.link_button(shown, "/own")
        st.badge(shown)
        st.tabs([shown])
        st.expander(shown)
        st.popover(shown)
        st.metric(shown, shown)
        st.checkbox(shown, key=f"c{place}")
        st.text_input(shown, key=f"t{place}")
        st.pills(shown, [shown], key=f"p{place}")
        st.success(shown)
        st.progress(0.5, shown)
        st.table(charts.as_plain(pd.DataFrame({text: [text]})), hide_index=True)
