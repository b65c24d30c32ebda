-- Which days to load again: those published after the last load. Delete a day and insert it whole; its old rows are gone.
SELECT day, max(finished_at) AS published_at, count(*) AS runs
FROM runs
GROUP BY day
HAVING max(finished_at) > TIMESTAMPTZ '2026-01-01 00:00:00+00'
ORDER BY day
