-- Delivered order lines: how many, how long they took, and which came after the promise.
WITH delivered AS (
    SELECT
        listing_id,
        day_of(deliveries.event_time) AS event_day,
        day_of(GREATEST(orders.available_at, deliveries.available_at)) AS available_day,
        epoch_us(deliveries.event_time) - epoch_us(orders.event_time) AS taken,
        promised_days
    FROM orders
    JOIN deliveries USING (order_line_id)
    WHERE orders.available_at IS NOT NULL AND deliveries.available_at IS NOT NULL
),
daily AS (
    SELECT
        listing_id,
        event_day,
        available_day,
        COUNT(*) AS parcels,
        COUNT(promised_days) AS promised,
        COUNT(*) FILTER (taken > ROUND(promised_days * 86400000000)::BIGINT) AS late,
        SUM((taken + 86399999999) // 86400000000)::BIGINT AS days
    FROM delivered
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(parcels) AS parcels_84d,
    SUM(promised) AS promised_parcels_84d,
    SUM(late) AS late_parcels_84d,
    SUM(days) AS delivery_days_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
