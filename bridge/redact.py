"""The one place that masks telephone numbers and texts before anything reaches a log.

Nobody else formats a log line: `configure` puts `mask_event` into structlog's chain and into the handler
that carries the logs of every library, tracebacks included.
"""
