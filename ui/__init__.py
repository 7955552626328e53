"""The screens, drawn with Streamlit: a folder for each page, the frame around them, and cures for Streamlit's gaps.

The only room besides `pages/` that knows Streamlit. Decides nothing about leads; asks `desk`.
"""
