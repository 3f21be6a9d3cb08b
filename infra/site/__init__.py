"""The parts of the documents' site that are not in docs/."""
