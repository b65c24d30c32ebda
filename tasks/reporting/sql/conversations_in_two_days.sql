-- Conversations that span midnight and so are in two days; to count each once, keep its last day.
-- First by a number that stands for the id: few remain to compare in full.
WITH again AS (
    SELECT hash(conversation_id) AS number FROM summaries GROUP BY number HAVING min(day) < max(day)
)
SELECT conversation_id, min(day) AS first_day, max(day) AS last_day
FROM summaries SEMI JOIN again ON hash(conversation_id) = number
GROUP BY conversation_id
HAVING min(day) < max(day)
ORDER BY conversation_id
