-- What was not summarized from $first to $last, by reason, the most frequent first.
SELECT coalesce(reason, '') AS reason, count(*) AS conversations
FROM rejects
WHERE day BETWEEN $first AND $last
GROUP BY ALL
ORDER BY conversations DESC, reason
