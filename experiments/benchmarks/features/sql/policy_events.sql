-- Violations and safety cases.
WITH daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        COUNT(*) AS events,
        SUM(severity)::BIGINT AS severity
    FROM policy_events
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(events) AS policy_events_365d,
    SUM(severity) AS policy_severity_365d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 364 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
