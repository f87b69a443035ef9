"""`rto collect`: which collectors follow from a definition, and how they run, are shown and stop."""
