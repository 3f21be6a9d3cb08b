"""Commands for operators and administrators: the health of the app, its users, and opt-outs."""
