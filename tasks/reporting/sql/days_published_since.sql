-- Which days to load again: those published after the last load. Delete a day and insert it whole; its old rows are gone.
-- Take the time of the last load less an hour: a day's files appear a little after its time.
SELECT day, max(published_at) AS published_at, count(*) AS runs
FROM runs
GROUP BY day
HAVING max(published_at) > TIMESTAMPTZ '2026-01-01 00:00:00+00'
ORDER BY day
