"""The queue and timer triggers."""
