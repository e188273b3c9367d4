"""What is pushed to readers: the live stream, and reads that wait."""
