"""What stands in an HTTP answer beside its body: how long a provider asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.gateways.orders import Answer

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        pytest.param("2", 2.0, id="seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("9" * 400, 3600.0, id="for ever"),
        pytest.param("Sat, 21 Nov 2026 10:00:30 GMT", 30.0, id="a moment"),
        pytest.param("Sat, 21 Nov 2026 11:00:30 +0100", 30.0, id="a moment elsewhere"),
        pytest.param("Sat, 21 Nov 2026 10:00:30", 30.0, id="a moment without a zone"),
        pytest.param("Sat, 21 Nov 2020 10:00:00 GMT", 0.0, id="long ago"),
        pytest.param("Sat, 21 Nov 2099 10:00:00 GMT", 3600.0, id="in another century"),
        pytest.param("", None, id="nothing"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-5", None, id="less than nothing"),
        pytest.param("Sat, 21 Nov 99999999999 10:00:00 GMT", None, id="a year that no clock has"),
        pytest.param("Sat, 21 Nov 2026 99999999999999999999:00:00 GMT", None, id="an hour that no clock has"),
        pytest.param("Sat, 21 Nov 2026 10:00:00 +9999999999999999999", None, id="a zone that no place has"),
    ],
)
def test_how_long_a_provider_asks_us_to_wait(written: str, seconds: float | None) -> None:
    assert Answer(429, {"retry-after": written}, b"").retry_after(NOW) == seconds
