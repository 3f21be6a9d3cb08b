"""The calls that tell owners that their jobs have ended, made from a queue of their own."""
