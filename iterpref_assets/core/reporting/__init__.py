"""What people look at: plots and Markdown."""
