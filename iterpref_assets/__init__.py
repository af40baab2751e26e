"""Focal preference learning for code LLMs from iterative debugging, as Dagster assets."""

import logging

# transformers imports torchao wherever it is installed. Where there is no GPU it warns of kernels
# that cannot be loaded, and torch of how it registers two types: neither is used here.
for name in ("torchao", "torch.utils._pytree"):
    logging.getLogger(name).setLevel(logging.ERROR)
