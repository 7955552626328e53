"""Webhooks: what their bodies look like (`payloads.py`) and how they are delivered, retried and lost (`courier.py`)."""
