-- The conversations that stories are sought among: a fair, repeatable sample of $most of each day, oldest day first.
-- accepted and negative are 1 yes, 0 no, -1 unknown; total is the day's conversations, sampled or not.
-- A large day is thinned to somewhat more than $most by the ids' hashes before it is sorted: sorting a year takes minutes.
WITH sizes AS (
    SELECT day, count(*) AS total FROM summaries WHERE day BETWEEN $first AND $last GROUP BY day
)
SELECT
    day,
    conversation_id,
    coalesce(CAST(accepted AS TINYINT), -1) AS accepted,
    coalesce(CAST(negative_sentiment AS TINYINT), -1) AS negative,
    coalesce(issue, '') AS issue,
    coalesce(plan, '') AS plan,
    coalesce(channel, '') AS channel,
    coalesce(theme, '') AS theme,
    coalesce(plan_theme, '') AS plan_theme,
    attributes,
    total
FROM summaries JOIN sizes USING (day)
WHERE day BETWEEN $first AND $last
    AND (conversation_id IS NULL OR hash(conversation_id) / 18446744073709551615.0 <= (1.3 * $most + 200) / total)
QUALIFY row_number() OVER (PARTITION BY day ORDER BY hash(conversation_id), conversation_id) <= $most
ORDER BY day, conversation_id
