-- The $most unhappiest conversations of each theme, kind of plan, channel, attribute and word, from $first to $last:
-- unhappy and refused first, then longer ones. $issue_words, $plan_words and $attributes say which words and attributes.
WITH chosen AS (
    SELECT *,
        CASE
            WHEN NOT accepted AND negative_sentiment THEN 0
            WHEN accepted IS NULL AND negative_sentiment THEN 1
            WHEN negative_sentiment THEN 2
            WHEN NOT accepted THEN 3
            ELSE 4
        END AS severity
    FROM summaries
    WHERE day BETWEEN $first AND $last
),
labeled AS (
    SELECT 'theme' AS dimension, theme AS key, * FROM chosen
    UNION ALL
    SELECT 'plan_theme', plan_theme, * FROM chosen
    UNION ALL
    SELECT 'channel', channel, * FROM chosen
    UNION ALL
    SELECT name, attributes[name], chosen.* FROM chosen, unnest(CAST($attributes AS VARCHAR[])) AS named (name)
    UNION ALL
    SELECT 'issue_word', word, chosen.* FROM chosen, unnest(CAST($issue_words AS VARCHAR[])) AS words (word)
    WHERE severity < 4 AND contains(lower(issue), word)
    UNION ALL
    SELECT 'plan_word', word, chosen.* FROM chosen, unnest(CAST($plan_words AS VARCHAR[])) AS words (word)
    WHERE severity < 4 AND contains(lower(plan), word)
)
SELECT
    dimension,
    key,
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
FROM labeled
WHERE key <> ''
QUALIFY row_number() OVER (PARTITION BY dimension, key ORDER BY severity, turns DESC, conversation_id) <= $most
ORDER BY dimension, key, severity, turns DESC, conversation_id
