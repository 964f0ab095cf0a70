"""The page in the browser: the only room that imports gradio. One file a tab, one `build` a file."""
