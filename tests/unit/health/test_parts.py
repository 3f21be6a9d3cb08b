"""What queues and telemetry report about themselves."""

from datetime import UTC, datetime

import pytest

from shared.health.parts import ask_telemetry
from shared.telemetry.recording import NoTelemetry, RecordingTelemetry
from shared.telemetry.telemetry import TelemetryState

WRONG = "AZURE_MONITOR_SAMPLING_RATE is 'many': must be a number"


class Telemetry(RecordingTelemetry):
    def __init__(self, state):
        super().__init__()
        self._state = state

    def state(self):
        return self._state


@pytest.mark.parametrize(
    ("state", "setting_problems", "problem"),
    [
        (TelemetryState(configured=True), [], None),
        (TelemetryState(configured=False), [], None),
        (TelemetryState(configured=True, problem="HTTP 402"), [], "Telemetry does not arrive: HTTP 402"),
        (TelemetryState(configured=True), [WRONG], WRONG),
        (
            TelemetryState(configured=True, problem="refused"),
            [WRONG],
            f"{WRONG}; Telemetry does not arrive: refused",
        ),
    ],
)
def test_telemetry_is_degraded_while_nothing_arrives_or_a_setting_is_wrong(state, setting_problems, problem):
    assert ask_telemetry(Telemetry(state), setting_problems).problem == problem


def test_a_wrong_setting_is_reported_once():
    assert ask_telemetry(NoTelemetry(WRONG), [WRONG]).problem == WRONG


def test_the_state_of_sending_is_reported():
    state = TelemetryState(True, 7, 2, datetime(2026, 1, 1, tzinfo=UTC))
    assert ask_telemetry(Telemetry(state), []).facts == {
        "configured": True,
        "backlog": 7,
        "dropped": 2,
        "last_success": "2026-01-01T00:00:00+00:00",
    }
