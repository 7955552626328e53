"""FitZone, the fitness club in the sandbox: who works there, which fields and stages it has, its leads so far."""
