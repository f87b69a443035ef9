"""The `rto` command. One module a subcommand; heavy libraries are imported only when a command runs."""
