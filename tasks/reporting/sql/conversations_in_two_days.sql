-- Conversations that span midnight and so are in two days; to count each once, keep its last day.
SELECT conversation_id, min(day) AS first_day, max(day) AS last_day
FROM summaries
GROUP BY conversation_id
HAVING count(*) > 1
ORDER BY conversation_id
