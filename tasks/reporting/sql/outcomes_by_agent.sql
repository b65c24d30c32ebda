-- How conversations end by agent, or by any other attribute of the logs: exchange the name in brackets.
SELECT
    attributes['agent'] AS agent,
    count(*) AS conversations,
    avg(turns) AS messages,
    count(*) FILTER (accepted) / count(*) AS accepted,
    count(*) FILTER (negative_sentiment) / count(*) AS negative
FROM summaries
WHERE attributes['agent'] IS NOT NULL
GROUP BY agent
ORDER BY conversations DESC, agent
