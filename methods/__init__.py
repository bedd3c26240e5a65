"""The methods that ship with scbench, one folder each; installed as ``scbench_methods``."""
