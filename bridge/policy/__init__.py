"""May this go out, now, to there: pure decisions between the parser and the store."""
