"""Signals: what happened, as measures with the time it happened and became known.

A signal's rows carry `event_time`, `available_at` and measures; those that are added up are
integers, so that sums are exact whatever the order of addition. Rows of different tables that only
count together (a unit and its return) become known when the last of them does, and what depends on
an order (first, capped, so far) follows the order of knowledge: then no row that becomes known
later can change what was known before.
"""
