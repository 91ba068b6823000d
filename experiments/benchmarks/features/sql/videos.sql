-- Videos of a listing, with their tone.
WITH daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        COUNT(*) AS videos,
        COUNT(sentiment) AS sentiment_known,
        SUM(ROUND(sentiment * 1000)::BIGINT)::BIGINT AS sentiment_thousandths
    FROM videos
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(videos) AS videos_84d,
    SUM(sentiment_known) AS sentiment_known_84d,
    SUM(sentiment_thousandths) AS sentiment_thousandths_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
