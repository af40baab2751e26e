"""How good the tests of problems are: coverage, mutants, flakiness and what a judge says."""
