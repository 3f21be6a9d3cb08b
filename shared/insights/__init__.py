"""Reports on what the service does, from the telemetry that it has sent."""
