-- Stock observations, and those with nothing on hand.
WITH daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        COUNT(*) AS observations,
        COUNT(*) FILTER (on_hand_units = 0) AS sold_outs
    FROM stock
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(sold_outs) AS sold_outs_84d,
    SUM(observations) AS stock_observations_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
