"""The commands of the `iterpref` console script, one module each."""
