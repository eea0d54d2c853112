"""Where attempts end, and what one place of a level costs."""
