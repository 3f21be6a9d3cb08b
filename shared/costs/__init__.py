"""What things cost on Azure, at the prices of a dated file."""
