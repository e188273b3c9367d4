"""What the tests share: databases, running servers, and carriers' payloads."""
