-- The issues and plans that words are counted in: of $sample conversations each, those with the lowest content hashes,
-- which is a fair sample and always the same one. Equal texts with equal outcomes are one row.
WITH issues AS (
    SELECT 'issue_word' AS dimension, issue AS text, accepted, negative_sentiment
    FROM summaries
    WHERE day BETWEEN $first AND $last AND issue <> ''
    ORDER BY coalesce(content_hash, ''), coalesce(conversation_id, '')
    LIMIT $sample
),
plans AS (
    SELECT 'plan_word' AS dimension, plan AS text, accepted, negative_sentiment
    FROM summaries
    WHERE day BETWEEN $first AND $last AND plan <> ''
    ORDER BY coalesce(content_hash, ''), coalesce(conversation_id, '')
    LIMIT $sample
)
SELECT dimension, text, accepted, negative_sentiment, count(*) AS conversations
FROM (FROM issues UNION ALL FROM plans)
GROUP BY ALL
ORDER BY ALL
