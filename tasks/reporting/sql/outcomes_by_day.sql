-- How each day went: conversations summarized, and the shares that the report's first screen shows.
-- Shares are of all conversations; unknown is a part of its own.
SELECT
    day,
    count(*) AS conversations,
    count(*) FILTER (accepted) / count(*) AS accepted,
    count(*) FILTER (NOT accepted) / count(*) AS not_accepted,
    count(*) FILTER (accepted IS NULL) / count(*) AS accepted_unknown,
    count(*) FILTER (negative_sentiment) / count(*) AS negative
FROM summaries
GROUP BY day
ORDER BY day
