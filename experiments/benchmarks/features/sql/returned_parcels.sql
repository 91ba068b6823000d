-- Units on the day they came back.
WITH daily AS (
    SELECT
        listing_id,
        day_of(returns.event_time) AS event_day,
        day_of(GREATEST(orders.available_at, returns.available_at)) AS available_day,
        SUM(returns.units)::BIGINT AS units_back
    FROM returns
    JOIN orders USING (order_line_id)
    WHERE orders.available_at IS NOT NULL AND returns.available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(units_back) AS units_back_28d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 27 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
