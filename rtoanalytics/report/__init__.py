"""The scorecard and its evidence for people: on the terminal, as one HTML file, as Markdown.

Reports show, they never judge: every number in them stands in results/. The same results give the same bytes.
"""
