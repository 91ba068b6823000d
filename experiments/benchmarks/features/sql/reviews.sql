-- Buyers' reviews: how many, their stars, and the bad ones.
WITH daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        COUNT(*) AS reviews,
        COUNT(*) FILTER (rating <= 2) AS low_star,
        SUM(rating)::BIGINT AS stars
    FROM reviews
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(reviews) AS reviews_180d,
    SUM(low_star) AS low_star_reviews_180d,
    SUM(stars) AS stars_180d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 179 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
