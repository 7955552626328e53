"""Cures for gaps of Streamlit 1.67. Each file names its gap, and can go with the release that closes the gap."""
