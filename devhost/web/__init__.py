"""HTTP triggers, and the host's own endpoints."""
