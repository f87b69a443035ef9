"""What Streamlit runs: the style, the library, the navigation, and the page that was asked for."""

import streamlit as st

from rtoanalytics_app.navigation import run

if __name__ == "__main__":
    st.set_page_config(page_title="Resilience drills", layout="wide", initial_sidebar_state="expanded")
    run()
