"""Uploads lists of URLs to the app, and datasets to the Hugging Face Hub."""
