"""FitZone, the fitness club in the sandbox: its people, fields and stages, its leads so far."""
