"""The online snapshot measured: how fast it opens and answers, and what a worker pays for it."""
