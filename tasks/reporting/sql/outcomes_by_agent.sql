-- How agents answer, and how their conversations end. For a shop or a SKU, exchange the first line for attributes['shop'].
SELECT
    coalesce(agent, attributes['agent']) AS agent,
    count(*) AS conversations,
    avg(agent_messages) AS replies,
    median(first_response_seconds) AS first_response_seconds,
    median(resolution_seconds) AS resolution_seconds,
    avg(try_cast(csat AS DOUBLE)) AS csat,
    count(*) FILTER (accepted) / count(*) AS accepted,
    count(*) FILTER (negative_sentiment) / count(*) AS negative
FROM summaries
WHERE coalesce(agent, attributes['agent']) IS NOT NULL
GROUP BY ALL
ORDER BY conversations DESC, agent
