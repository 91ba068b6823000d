-- Units offered whose 28 days are over, and how many of them were ordered in those days.
-- Orders known at the same moment count together; later ones add what the lot still had left.
WITH offered AS (
    SELECT
        listing_id,
        event_time AS offered_at,
        available_at AS offer_known_at,
        event_time + INTERVAL 28 DAYS AS over_at,
        GREATEST(available_at, over_at) AS counted_at,
        on_hand_units + inbound_units AS units_offered
    FROM stock
    WHERE available_at IS NOT NULL AND on_hand_units + inbound_units > 0
),
sold AS (
    SELECT
        listing_id,
        offered_at,
        offer_known_at,
        over_at,
        units_offered,
        GREATEST(available_at, counted_at) AS known_at,
        SUM(units)::BIGINT AS units
    FROM offered
    JOIN orders USING (listing_id)
    WHERE available_at IS NOT NULL AND event_time > offered_at AND event_time <= over_at
    GROUP BY ALL
),
summed AS (
    SELECT
        *,
        SUM(units) OVER (
            PARTITION BY listing_id, offered_at, offer_known_at ORDER BY known_at
        )::BIGINT AS so_far
    FROM sold
),
parts AS (
    SELECT
        listing_id,
        day_of(over_at) AS event_day,
        day_of(counted_at) AS available_day,
        units_offered,
        0 AS units_sold
    FROM offered
    UNION ALL
    SELECT
        listing_id,
        day_of(over_at),
        day_of(known_at),
        0,
        LEAST(so_far, units_offered) - LEAST(so_far - units, units_offered)
    FROM summed
),
daily AS (
    SELECT
        listing_id,
        event_day,
        available_day,
        SUM(units_offered)::BIGINT AS units_offered,
        SUM(units_sold)::BIGINT AS units_sold
    FROM parts
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(units_offered) AS units_offered_180d,
    SUM(units_sold) AS units_sold_180d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 179 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
