"""One module a page: what it shows of a drill, in reading order.

Not named `pages`: Streamlit would take every file of such a folder for a page of its own, and run it.
"""
