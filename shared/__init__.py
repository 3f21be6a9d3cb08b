"""PixCrawler's domain and its adapters; nothing in here knows of Azure Functions."""
