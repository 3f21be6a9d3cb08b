"""What stands beside the app on Azure."""
