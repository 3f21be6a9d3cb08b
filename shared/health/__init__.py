"""How the app's parts are: each is asked something small, and one rule makes a verdict of what they answer."""
