"""The page: a Gradio app with a pad of its own, and a plain HTTP route beside it."""
