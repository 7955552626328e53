"""What exists only because Streamlit 1.67 has a gap. Each file names the gap, and can go with the release that closes it."""
