"""What starts functions besides HTTP: queues and timers."""
