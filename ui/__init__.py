"""What the screens share: the frame around every page, words, formats, cached reads.

The only room besides `pages/` that knows Streamlit. Decides nothing about leads; asks `crm`.
"""
