-- Units delivered whose 30 days for a return aren't over, and those of them that came back so far.
WITH delivered AS (
    SELECT
        order_line_id,
        listing_id,
        units,
        deliveries.event_time AS delivered_at,
        deliveries.event_time + INTERVAL 30 DAYS AS over_at,
        GREATEST(orders.available_at, deliveries.available_at) AS known_at
    FROM orders
    JOIN deliveries USING (order_line_id)
    WHERE orders.available_at IS NOT NULL AND deliveries.available_at IS NOT NULL
),
parts AS (
    SELECT
        listing_id,
        day_of(delivered_at) AS event_day,
        day_of(known_at) AS available_day,
        day_of(GREATEST(known_at, over_at)) AS ripe_day,
        units AS unripe,
        0 AS returned
    FROM delivered
    UNION ALL
    SELECT
        listing_id,
        day_of(delivered_at),
        day_of(GREATEST(known_at, available_at, event_time)),
        day_of(GREATEST(known_at, available_at, over_at)),
        0,
        returns.units
    FROM delivered
    JOIN returns USING (order_line_id)
    WHERE available_at IS NOT NULL AND event_time <= over_at
),
daily AS (
    SELECT
        listing_id,
        event_day,
        available_day,
        ripe_day,
        SUM(unripe)::BIGINT AS unripe,
        SUM(returned)::BIGINT AS returned
    FROM parts
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(unripe) FILTER (event_day > as_of_day - 7) AS units_open_7d,
    SUM(unripe) FILTER (event_day > as_of_day - 14) AS units_open_14d,
    SUM(unripe) AS units_open_180d,
    SUM(returned) AS units_open_returned_180d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND ripe_day > as_of_day
    AND event_day BETWEEN as_of_day - 179 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
