-- The $most unhappiest conversations of each theme, kind of plan, channel, attribute and word, from $first to $last:
-- unhappy and refused first, then longer ones. $issue_words, $plan_words and $attributes say which words and attributes;
-- these are sought in the 20,000 unhappiest. One number ranks the conversations, equal ones by their ids' hashes: it
-- alone is sorted, and whole rows are kept of few.
WITH ranked AS NOT MATERIALIZED (
    SELECT
        *,
        16777216 * (
            2147483648 * CASE
                WHEN NOT accepted AND negative_sentiment THEN 0
                WHEN accepted IS NULL AND negative_sentiment THEN 1
                WHEN negative_sentiment THEN 2
                WHEN NOT accepted THEN 3
                ELSE 4
            END + 2147483647 - greatest(coalesce(turns, 0), 0)
        ) + CAST(hash(conversation_id) >> 40 AS BIGINT) AS place
    FROM summaries
    WHERE day BETWEEN $first AND $last
),
by_column AS (
    SELECT theme, plan_theme, channel, min(place, $most) AS places
    FROM ranked
    GROUP BY GROUPING SETS ((theme), (plan_theme), (channel))
),
unhappy AS MATERIALIZED (
    SELECT place FROM ranked ORDER BY place LIMIT 20000
),
kept AS MATERIALIZED (
    SELECT *, row_number() OVER () AS number FROM ranked
    WHERE place IN (SELECT unnest(places) FROM by_column UNION ALL SELECT place FROM unhappy)
),
labeled AS (
    SELECT 'theme' AS dimension, theme AS key, place, conversation_id, number FROM kept
    UNION ALL
    SELECT 'plan_theme', plan_theme, place, conversation_id, number FROM kept
    UNION ALL
    SELECT 'channel', channel, place, conversation_id, number FROM kept
    UNION ALL
    SELECT name, attributes[name], place, conversation_id, number
    FROM kept, unnest(list_distinct(CAST($attributes AS VARCHAR[]))) AS names (name)
    UNION ALL
    SELECT 'issue_word', word, place, conversation_id, number
    FROM kept, unnest(CAST($issue_words AS VARCHAR[])) AS words (word)
    WHERE contains(lower(issue), word)
    UNION ALL
    SELECT 'plan_word', word, place, conversation_id, number
    FROM kept, unnest(CAST($plan_words AS VARCHAR[])) AS words (word)
    WHERE contains(lower(plan), word)
),
shown AS (
    SELECT dimension, key, number FROM labeled
    WHERE key <> ''
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
FROM shown JOIN kept USING (number)
ORDER BY dimension, key, place, conversation_id
