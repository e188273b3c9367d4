"""Pure values and decisions: no input or output, no clock, no database; the standard library only."""
