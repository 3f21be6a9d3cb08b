"""Telemetry to Application Insights, on the envelopes and the transport's rules of opencensus-ext-azure.

The package's stock exporters are not used: they sample record by record and lose the rate, tie events to the logger
that they went through, and lose a batch at its first time-out.
"""
