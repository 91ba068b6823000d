-- Order lines in windows, added up by day before they meet the spine.
WITH daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        SUM(units)::BIGINT AS units,
        COUNT(*) AS order_lines,
        SUM(units * unit_price_minor)::BIGINT AS revenue_minor,
        COALESCE(SUM(units) FILTER (creator_id IS NOT NULL), 0)::BIGINT AS creator_units
    FROM orders
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(units) FILTER (event_day > as_of_day - 7) AS units_ordered_7d,
    SUM(units) FILTER (event_day > as_of_day - 28) AS units_ordered_28d,
    SUM(units) AS units_ordered_84d,
    SUM(order_lines) AS order_lines_84d,
    SUM(creator_units) FILTER (event_day > as_of_day - 28) AS creator_units_28d,
    SUM(revenue_minor) AS revenue_minor_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
