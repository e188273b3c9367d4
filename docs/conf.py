"""How the site is built from these pages: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import reference_pages

reference_pages.write()

project = "Roost"
author = "The Roost authors"
copyright = "The Roost authors, Apache-2.0"  # noqa: A001 - Sphinx's name for it

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# The pages are read on a code host as well, where an indented block is plain: here it would be guessed to be Python.
highlight_language = "text"

html_theme = "furo"
html_title = "Roost"
html_copy_source = False
html_show_sphinx = False
html_static_path: list[str] = []
html_css_files: list[str] = []
html_theme_options = {"navigation_with_keys": True}
