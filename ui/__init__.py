"""What the screens draw: a folder for each page, the frame around them, and what closes gaps of Streamlit.

The only room besides `pages/` that knows Streamlit. Decides nothing about leads; asks `desk`.
"""
