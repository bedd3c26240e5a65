"""Runs in one file, to hand on: written, and looked at before anything of it is believed."""
