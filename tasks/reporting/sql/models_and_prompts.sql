-- Which model and prompt made the summaries, and from when to when: a step in the figures may be theirs.
SELECT model, prompt_version, min(day) AS first_day, max(day) AS last_day, count(*) AS conversations
FROM summaries
GROUP BY model, prompt_version
ORDER BY first_day, model, prompt_version
