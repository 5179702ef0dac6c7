"""The version after this one, for a deploy in the middle of a run: a column more on papers."""
