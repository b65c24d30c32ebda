-- What was not summarized, and why, by day and channel.
SELECT day, channel, reason, count(*) AS conversations, count(DISTINCT source_uri) AS files
FROM rejects
GROUP BY day, channel, reason
ORDER BY day, conversations DESC, reason, channel
