"""BigCodeBench: tasks over many libraries, decided by unittest classes beside the candidate."""
