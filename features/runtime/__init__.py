"""Basics of every command: errors, settings, progress, writing to the disk."""
