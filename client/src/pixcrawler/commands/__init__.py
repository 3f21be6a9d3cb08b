"""The command line. Its modules import the client when a command runs, so that help and completion are quick."""
