"""One module per platform; a mapping is found by its file name."""
