-- The $most conversations that are worth reading first: unhappy and refused, then longer ones. Three of a theme come
-- first, then the others, so that a day's one trouble leaves room for the rest.
WITH worst AS (
    SELECT
        *,
        CASE
            WHEN NOT accepted AND negative_sentiment THEN 0
            WHEN accepted IS NULL AND negative_sentiment THEN 1
            WHEN negative_sentiment THEN 2
            ELSE 3
        END AS kind
    FROM summaries
    WHERE day BETWEEN $first AND $last AND (negative_sentiment OR NOT accepted)
    ORDER BY kind, turns DESC NULLS LAST, conversation_id
    LIMIT 20 * $most
)
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
FROM worst
ORDER BY
    row_number() OVER (
        PARTITION BY coalesce(nullif(theme, 'other'), issue, conversation_id)
        ORDER BY kind, turns DESC NULLS LAST, conversation_id
    ) > 3,
    kind,
    turns DESC NULLS LAST,
    conversation_id
LIMIT $most
