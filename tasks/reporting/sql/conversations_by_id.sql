-- Conversations by their ids, as the report shows them; of an id in two days the later one.
SELECT
    conversation_id,
    started_at,
    coalesce(channel, '') AS channel,
    coalesce(turns, 0) AS turns,
    issue,
    plan,
    accepted,
    negative_sentiment,
    accepted_text,
    negative_sentiment_text,
    coalesce(model, '') AS model
FROM summaries
WHERE day BETWEEN $first AND $last AND list_contains($ids, conversation_id)
QUALIFY row_number() OVER (PARTITION BY conversation_id ORDER BY day DESC) = 1
