"""HTTP triggers and the endpoints of the host."""
