"""The app: one page on which a drill is looked at together. It shows and never computes."""
