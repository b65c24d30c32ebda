-- The $most conversations that are worth reading first: unhappy and refused, then longer ones.
SELECT
    coalesce(conversation_id, '') AS conversation_id,
    started_at,
    channel,
    coalesce(turns, 0) AS turns,
    issue,
    plan,
    accepted,
    negative_sentiment,
    accepted_text,
    negative_sentiment_text,
    model
FROM summaries
WHERE day BETWEEN $first AND $last AND (negative_sentiment OR NOT accepted)
ORDER BY
    CASE
        WHEN NOT accepted AND negative_sentiment THEN 0
        WHEN accepted IS NULL AND negative_sentiment THEN 1
        WHEN negative_sentiment THEN 2
        ELSE 3
    END,
    turns DESC NULLS LAST,
    conversation_id
LIMIT $most
