"""`python -m pixcrawler` is the command `pixcrawler`."""

from pixcrawler.commands.app import main

main()
