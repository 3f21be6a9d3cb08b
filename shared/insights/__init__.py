"""Reports on what the service does, asked of the telemetry that it sent."""
