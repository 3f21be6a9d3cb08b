"""What packages outside the app may import: `pixcrawler.sources`."""
