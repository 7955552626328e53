"""The page Leads: the list, its filters and their address, the card, saved views, exports."""
