"""Worker processes, which run the app with Microsoft's worker library."""
