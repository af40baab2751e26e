"""The process or container that heavy steps run in: `python -m iterpref_assets.workers`."""
