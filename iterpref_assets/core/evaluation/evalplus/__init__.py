"""HumanEval(+) and MBPP(+) by evalplus's own loaders, oracles and tolerances."""
