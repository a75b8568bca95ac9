"""What can go wrong with a chart."""

from config import ValuesError


class ChartError(ValuesError):
    """A chart that cannot be had or rendered: one line, told as a mistake in the values is."""

    def __init__(self, store: str, message: str) -> None:
        super().__init__([f"{store}.chart: {message}"])
