"""Runs on a cluster: chunks of a plan as jobs that each run the queue of :mod:`scbench.run.local`."""
