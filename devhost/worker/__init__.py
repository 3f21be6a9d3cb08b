"""Worker processes: Microsoft's library around the app, each in a process of its own."""
