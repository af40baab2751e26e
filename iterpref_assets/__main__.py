"""`python -m iterpref_assets` is the `iterpref` command."""

from iterpref_assets.cli import main

main()
