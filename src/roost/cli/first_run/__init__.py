"""What `roost init` does, in its order: questions, set-up, the first text, what comes next."""
