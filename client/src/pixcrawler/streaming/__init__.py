"""Reads the images of datasets without storing the datasets."""
