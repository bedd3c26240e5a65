"""Hyperparameter search with Optuna: studies whose trials are ordinary runs, judged without labels."""
