"""Webhooks: the form of their bodies (`payloads.py`), their delivery, retries and losses (`courier.py`)."""
