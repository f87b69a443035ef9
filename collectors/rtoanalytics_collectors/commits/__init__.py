"""How far a group says it has come: its commits, as events of the log or as polled samples."""
