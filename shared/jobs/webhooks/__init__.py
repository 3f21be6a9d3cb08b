"""Calls the webhooks of jobs that have ended, by messages of a queue of their own."""
