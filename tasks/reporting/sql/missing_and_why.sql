-- What was not summarized, and why, by day.
SELECT day, reason, count(*) AS conversations, count(DISTINCT source_uri) AS files
FROM rejects
GROUP BY day, reason
ORDER BY day, conversations DESC, reason
