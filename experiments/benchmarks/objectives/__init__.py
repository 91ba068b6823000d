"""What boosters should minimise, and how many to average: judged on forward splits."""
