"""Statistics across datasets: ranks, tests and intervals. The unit is a dataset's mean over seeds, higher is better."""
