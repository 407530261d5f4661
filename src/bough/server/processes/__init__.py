"""The processes of a running bough: one that watches, workers that answer, one for background work."""
