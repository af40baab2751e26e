"""What docs/EXPERIMENT.md says before its first base model: how it is made, what arms are."""

from __future__ import annotations

from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import RECIPES

HEAD = """\
# The paper's experiment

    make experiment-quick
    iterpref experiment run ARM ... --seeds N --settings examples/experiment/lab.toml
    iterpref experiment export --settings examples/experiment/lab.toml
    iterpref experiment render

`make experiment-quick` makes the headline anew: SFT, DPO, RPO, focal DPO, focal RPO and the
reference, two seeds, in half an hour of two cores ([MEASURED](MEASURED.md)). Two seeds decide no
claim: that takes three. `run` makes any part of the grid (`iterpref experiment arms` lists the
arms), and only what is missing of it: each model and each of its scores is an artifact, in Dagster
a partition. With `--at-once N`, N processes make it, each on
a GPU of its own or on its share of the CPUs; with equally many threads they make the models and
scores that one makes. The first error and Ctrl-C end them all, and the next run goes on where they
were. `export` writes the tables in `measurements/results/experiment/`, in a folder named like the
base model, and `render` this page from them all.

Another machine goes on where one ended, with that folder as `experiment.recorded`. It makes no
model again whose results are there and stand: the same pairs, settings, base model and problems.
`export` there takes them over, each cell with the machine and commit that recorded it. Pairs are
made of the debugged programs that `export --programs` writes shard by shard, each run anew; a shard
that was not debugged yet, and for arms on samples every shard, is debugged there. Rounds of
debugging are told where one machine debugged every shard. Log-probabilities of the reference model
are computed anew too: machines round them differently, which makes no result another. Models are
not carried: one whose scores are not recorded is trained again, so it pays to run the arms one
after another.

Arms of one pair set are trained with the same steps and batches on the same pairs, but for
`-twice`, which has twice the epochs. `first`, `last`, `nearest` and `prefix_suffix` have another y-
or D-, so that the filters can drop other pairs, `half` has pairs of fewer problems and `sampled`
pairs of its own: their numbers of pairs, and with these of steps, can differ. The table of arms
tells both. Each arm is tried at every learning rate with seed 0; the rate that solves most
validation problems is its own, and validation problems, of each source of problems its share, are
not among those reported. A seed draws the order of the pairs.

All arms stand on one base model, one run of debugging and one draw of y- for each set of pairs, and
each arm on one choice of its rate. No interval holds what others would have given. The choice of
rates is coarse: with 300 validation problems a share moves by five points either way by chance, and
many arms owe their rate to a few problems (the table of learning rates). So arms can differ because
their rates do; curves of the figures are those of one rate.

`experiment.samples` asks for sampled scores beside the greedy ones. They are artifacts of their
own: greedy scores stay valid. So are scores on HumanEval+ and MBPP+, made where the settings have
`benchmarks.humaneval` or `benchmarks.mbpp`. An arm is one entry in
`iterpref_assets/core/experiment/arms.py`, a claim one in `claims.py`.

An arm `-second` is a second round, on-policy: the model of the first round samples and debugs the
same training problems with the same settings, and training goes on from it, on pairs made of these
trajectories. It is the reference model too. The model of the first round is that of the arm without
`-second` at its best rate, with seed 0. The arm has had the settings' epochs twice: on the first
round's pairs, and on its own. So has its rival `-twice`, in one run from the base model, on the
first round's pairs alone. Their steps differ as far as the numbers of pairs do; `steps` of a second
round counts its own. It needs vLLM or transformers as the `engine`.

A claim about `-second` stays undecided whatever its figures. All seeds of `-second` share one first
model and draw the order of its own pairs alone, so the interval does not hold for another first
model. And `-second` is tuned twice on the validation problems: its first model is the best of the
rates there with seed 0, then its own rate is chosen. `-twice` is tuned once.

`examples/experiment/qwen.toml` asks for the same grid of a real model, Qwen2.5-Coder-0.5B-Instruct,
on MBPP's train split and exercism. It is scored on their held-out problems, HumanEval+ and MBPP+.
"""


PARTS = {
    "beta": "another beta than 0.1",
    "alpha": "another alpha than 1",
    "by_pairs": "imitation is a mean over the tokens of each pair, then over pairs; else over all "
    "tokens",
    "by_sums": "imitation is a mean over pairs of the sum over each one's tokens, as the paper "
    "writes it: alpha 1 weighs as much as alpha n by a mean, n the tokens of y+",
    "first": "y- is the first failing version of its trajectory; else a random one",
    "last": "y- is the last failing version of its trajectory; else a random one",
    "nearest": "every passing program, beside the failing one of its problem that is most like it",
    "prefix_suffix": "D+ and D- are the lines between the common first and last ones; else those "
    "that the longest common subsequence of lines leaves",
    "tokens": "D+ and D- are taken by the model's tokens; else by lines",
    "nodes": "D+ and D- are taken by syntax-tree nodes; else by lines",
    "forks": "D+ and D- are the first token of each run of the model's tokens that differs",
    "half": "pairs of every other shard of the training problems: about half of them, and of the "
    "steps, where shards are alike",
    "sampled": "pairs of independent samples, for as many LLM calls as the trajectories took",
    "twice": "twice the epochs",
    "second": "a second round, as told above",
}
"""What the parts of an arm's name behind its recipe's say."""


def glossary() -> str:
    """What each recipe does, and what each part of an arm's name behind it changes."""
    recipes = [[recipe.name, recipe.description] for recipe in RECIPES]
    parts = [[f"-{part}", told] for part, told in PARTS.items()]
    return (
        "## What the arms are\n\n"
        "An arm is a recipe, or a recipe with what the end of its name says changed. y+ is the "
        "passing program of a pair, y- the failing one; D+ and D- are what differs.\n\n"
        f"{table(['recipe', 'what it does'], recipes)}\n"
        f"{table(['end of the name', 'what it changes'], parts)}"
    )
