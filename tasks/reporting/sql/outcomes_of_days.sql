-- Conversations by outcome, and rejects, for each day from $first to $last that has any; made_by are the day's models
-- and prompts.
WITH counted AS (
    SELECT
        day,
        CAST(count(*) FILTER (accepted AND negative_sentiment) AS BIGINT) AS yes_yes,
        CAST(count(*) FILTER (accepted AND NOT negative_sentiment) AS BIGINT) AS yes_no,
        CAST(count(*) FILTER (accepted AND negative_sentiment IS NULL) AS BIGINT) AS yes_unknown,
        CAST(count(*) FILTER (NOT accepted AND negative_sentiment) AS BIGINT) AS no_yes,
        CAST(count(*) FILTER (NOT accepted AND NOT negative_sentiment) AS BIGINT) AS no_no,
        CAST(count(*) FILTER (NOT accepted AND negative_sentiment IS NULL) AS BIGINT) AS no_unknown,
        CAST(count(*) FILTER (accepted IS NULL AND negative_sentiment) AS BIGINT) AS unknown_yes,
        CAST(count(*) FILTER (accepted IS NULL AND NOT negative_sentiment) AS BIGINT) AS unknown_no,
        CAST(count(*) FILTER (accepted IS NULL AND negative_sentiment IS NULL) AS BIGINT) AS unknown_unknown,
        list(DISTINCT coalesce(model, '')) || list(DISTINCT coalesce(prompt_version, '')) AS made_by
    FROM summaries
    WHERE day BETWEEN $first AND $last
    GROUP BY day
),
lost AS (
    SELECT day, count(*) AS rejected FROM rejects WHERE day BETWEEN $first AND $last GROUP BY day
)
SELECT * REPLACE (coalesce(rejected, 0) AS rejected, coalesce(made_by, []) AS made_by)
FROM counted FULL JOIN lost USING (day)
ORDER BY day
