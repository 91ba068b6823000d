-- Units whose 30 days for a return are over, and those of them that came back in time.
WITH delivered AS (
    SELECT
        order_line_id,
        listing_id,
        units,
        deliveries.event_time + INTERVAL 30 DAYS AS over_at,
        GREATEST(orders.available_at, deliveries.available_at) AS known_at
    FROM orders
    JOIN deliveries USING (order_line_id)
    WHERE orders.available_at IS NOT NULL AND deliveries.available_at IS NOT NULL
),
parts AS (
    SELECT
        listing_id,
        day_of(over_at) AS event_day,
        day_of(GREATEST(known_at, over_at)) AS available_day,
        units AS ripe,
        0 AS returned
    FROM delivered
    UNION ALL
    SELECT
        listing_id,
        day_of(over_at),
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
        SUM(ripe)::BIGINT AS ripe,
        SUM(returned)::BIGINT AS returned
    FROM parts
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(ripe) FILTER (event_day > as_of_day - 28) AS units_ripe_28d,
    SUM(returned) FILTER (event_day > as_of_day - 28) AS units_returned_28d,
    SUM(ripe) AS units_ripe_180d,
    SUM(returned) AS units_returned_180d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 179 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
