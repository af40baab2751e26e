"""HumanEval(+) and MBPP(+) by evalplus's own loaders, sanitizer, oracles and tolerances."""
