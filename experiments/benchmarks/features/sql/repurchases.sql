-- Buyers 90 days after their first purchase of a listing, and those who bought it again by then.
WITH bought AS (
    SELECT listing_id, buyer_key, order_id, order_line_id, event_time, available_at
    FROM orders
    WHERE available_at IS NOT NULL AND buyer_key IS NOT NULL
),
first AS (
    SELECT *, event_time + INTERVAL 90 DAYS AS over_at
    FROM bought
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY listing_id, buyer_key ORDER BY available_at, event_time, order_line_id
    ) = 1
),
again AS (
    SELECT
        listing_id,
        over_at,
        GREATEST(bought.available_at, first.available_at, over_at) AS known_at
    FROM bought
    JOIN first USING (listing_id, buyer_key)
    WHERE bought.order_id <> first.order_id
        AND bought.event_time > first.event_time
        AND bought.event_time <= over_at
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY listing_id, buyer_key
        ORDER BY bought.available_at, bought.event_time, bought.order_line_id
    ) = 1
),
parts AS (
    SELECT
        listing_id,
        day_of(over_at) AS event_day,
        day_of(GREATEST(available_at, over_at)) AS available_day,
        1 AS ripe,
        0 AS repeated
    FROM first
    UNION ALL
    SELECT listing_id, day_of(over_at), day_of(known_at), 0, 1
    FROM again
),
daily AS (
    SELECT
        listing_id,
        event_day,
        available_day,
        SUM(ripe)::BIGINT AS ripe,
        SUM(repeated)::BIGINT AS repeated
    FROM parts
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(ripe) AS buyers_ripe_180d,
    SUM(repeated) AS buyers_repeated_180d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 179 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
