-- What each observation of a video's counters added to the highest known before.
WITH seen AS (
    SELECT
        listing_id,
        video_id,
        video_stats.event_time AS event_time,
        GREATEST(video_stats.available_at, videos.available_at) AS known_at,
        views, clicks
    FROM video_stats
    JOIN videos USING (video_id)
    WHERE video_stats.available_at IS NOT NULL AND videos.available_at IS NOT NULL
),
added AS (
    SELECT
        listing_id,
        event_time,
        known_at,
        GREATEST(views - COALESCE(MAX(views) OVER before, 0), 0) AS views,
        GREATEST(clicks - COALESCE(MAX(clicks) OVER before, 0), 0) AS clicks
    FROM seen
    WINDOW before AS (
        PARTITION BY video_id
        ORDER BY known_at, event_time
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(known_at) AS available_day,
        SUM(views)::BIGINT AS views,
        SUM(clicks)::BIGINT AS clicks
    FROM added
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(views) FILTER (event_day > as_of_day - 7) AS views_7d,
    SUM(views) FILTER (event_day > as_of_day - 28) AS views_28d,
    SUM(clicks) FILTER (event_day > as_of_day - 28) AS clicks_28d,
    SUM(clicks) AS clicks_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
