-- The $most unhappiest conversations of each theme, kind of plan, channel, attribute and word, from $first to $last:
-- unhappy and refused first, then longer ones. $issue_words, $plan_words and $attributes say which words and attributes;
-- words are sought in the 20,000 unhappiest. A number ranks the conversations first: whole rows are read of few.
WITH ranked AS NOT MATERIALIZED (
    SELECT
        *,
        1000000 * CASE
            WHEN NOT accepted AND negative_sentiment THEN 0
            WHEN accepted IS NULL AND negative_sentiment THEN 1
            WHEN negative_sentiment THEN 2
            WHEN NOT accepted THEN 3
            ELSE 4
        END - coalesce(turns, 0) AS place
    FROM summaries
    WHERE day BETWEEN $first AND $last
),
labeled AS NOT MATERIALIZED (
    SELECT 'theme' AS dimension, theme AS key, place, day, conversation_id FROM ranked
    UNION ALL
    SELECT 'plan_theme', plan_theme, place, day, conversation_id FROM ranked
    UNION ALL
    SELECT 'channel', channel, place, day, conversation_id FROM ranked
    UNION ALL
    SELECT entry.key, entry.value, place, day, conversation_id
    FROM (
        SELECT unnest(map_entries(attributes)) AS entry, place, day, conversation_id
        FROM ranked
        WHERE len(CAST($attributes AS VARCHAR[])) > 0
    )
    WHERE list_contains(CAST($attributes AS VARCHAR[]), entry.key)
),
lowest AS MATERIALIZED (
    SELECT dimension, key, list_max(min(place, $most)) AS limit_place
    FROM labeled
    WHERE key <> ''
    GROUP BY dimension, key
),
unhappy AS MATERIALIZED (
    SELECT lower(issue) AS issue, lower(plan) AS plan, place, day, conversation_id
    FROM ranked
    WHERE negative_sentiment OR NOT accepted
    ORDER BY place, conversation_id
    LIMIT 20000
),
chosen AS (
    SELECT *
    FROM (
        SELECT dimension, key, place, day, conversation_id
        FROM labeled JOIN lowest USING (dimension, key)
        WHERE place <= limit_place
        UNION ALL
        SELECT 'issue_word', word, place, day, conversation_id
        FROM unhappy, unnest(CAST($issue_words AS VARCHAR[])) AS words (word)
        WHERE contains(issue, word)
        UNION ALL
        SELECT 'plan_word', word, place, day, conversation_id
        FROM unhappy, unnest(CAST($plan_words AS VARCHAR[])) AS words (word)
        WHERE contains(plan, word)
    )
    QUALIFY row_number() OVER (PARTITION BY dimension, key ORDER BY place, conversation_id) <= $most
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
FROM chosen JOIN summaries USING (day, conversation_id)
ORDER BY dimension, key, place, conversation_id
