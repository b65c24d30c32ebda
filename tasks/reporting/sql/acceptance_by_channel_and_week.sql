-- Where plans are not accepted, week by week: a week begins on Monday.
SELECT
    CAST(date_trunc('week', day) AS DATE) AS week,
    coalesce(channel, '') AS channel,
    count(*) AS conversations,
    count(*) FILTER (NOT accepted) / count(*) AS not_accepted,
    count(*) FILTER (accepted IS NULL) / count(*) AS accepted_unknown
FROM summaries
GROUP BY ALL
ORDER BY week, channel
