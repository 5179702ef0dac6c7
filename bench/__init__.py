"""Measurements, one file a question; ratios are of one interleaved run. `python -m bench`."""
