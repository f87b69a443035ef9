"""The demo drill: an embedded cluster, two ordinary programs, one fault, all of it captured."""
