-- Videos of a listing, with the reach of their creators as known when the video became known.
WITH observed AS (
    SELECT
        video_id,
        followers
    FROM videos
    JOIN creator_stats USING (creator_id)
    WHERE videos.available_at IS NOT NULL
        AND creator_stats.available_at IS NOT NULL
        AND creator_stats.event_time <= videos.event_time
        AND creator_stats.available_at <= videos.available_at
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY video_id
        ORDER BY creator_stats.event_time DESC, creator_stats.available_at DESC, followers DESC
    ) = 1
),
daily AS (
    SELECT
        listing_id,
        day_of(event_time) AS event_day,
        day_of(available_at) AS available_day,
        COUNT(*) AS videos,
        COUNT(*) FILTER (kind = 'review') AS review_videos,
        COUNT(*) FILTER (is_sponsored) AS sponsored_videos,
        COUNT(*) FILTER (followers < 10000) AS small_creator_videos,
        COUNT(followers) AS reach_known,
        SUM(followers)::BIGINT AS followers_reached,
        COUNT(sentiment) AS sentiment_known,
        SUM(ROUND(sentiment * 1000)::BIGINT)::BIGINT AS sentiment_thousandths
    FROM videos
    LEFT JOIN observed USING (video_id)
    WHERE available_at IS NOT NULL
    GROUP BY ALL
)
SELECT
    spine.listing_id,
    spine.as_of_day,
    SUM(videos) AS videos_84d,
    SUM(review_videos) AS review_videos_84d,
    SUM(sponsored_videos) AS sponsored_videos_84d,
    SUM(small_creator_videos) AS small_creator_videos_84d,
    SUM(reach_known) AS reach_known_84d,
    SUM(followers_reached) AS followers_reached_84d,
    SUM(sentiment_known) AS sentiment_known_84d,
    SUM(sentiment_thousandths) AS sentiment_thousandths_84d
FROM spine
JOIN daily
    ON daily.listing_id = spine.listing_id
    AND available_day <= as_of_day
    AND event_day BETWEEN as_of_day - 83 AND as_of_day
GROUP BY spine.listing_id, spine.as_of_day
