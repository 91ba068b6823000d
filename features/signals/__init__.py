"""Signals: events with measures, the time they happened and the time they became known.

The rows of a signal have `event_time`, `available_at` and measures. Measures that are summed are
integers, so that a sum is exact in any order of addition. Two rules keep the past fixed when a row
becomes known later. First, rows of different tables that count together (a unit and its return)
become known with the last of them. Second, a measure that depends on an order (first, capped, so
far) uses the order in which rows became known.
"""
