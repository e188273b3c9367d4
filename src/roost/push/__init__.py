"""What is pushed to readers: the live stream, reads that wait, and webhooks."""
