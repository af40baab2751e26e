"""Pages to look at: one HTML file each, with its rows inside; no server and no network."""
