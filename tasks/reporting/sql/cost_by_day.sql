-- What each day cost: costs and tokens of a day's runs add up, its conversations don't.
SELECT
    day,
    sum(conversations) FILTER (last_of_day) AS conversations,
    sum(cost) AS cost,
    sum(prompt_tokens + completion_tokens) AS tokens,
    sum(cost) / nullif(sum(conversations) FILTER (last_of_day), 0) AS cost_of_one
FROM runs
GROUP BY day
ORDER BY day
