"""What every command stands on: errors, settings, progress, the disk."""
