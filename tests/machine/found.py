"""The first seed that finds each defect: what `make simulate ARGS="--mutant all"` prints."""

FOUND_AT: dict[str, int] = {}
