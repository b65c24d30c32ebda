-- How many conversations from $first to $last have an issue, have a plan, were cut; $sample of a text are looked at for
-- their words.
SELECT
    count(*) FILTER (issue <> '') AS issues,
    count(*) FILTER (plan <> '') AS plans,
    least(count(*) FILTER (issue <> ''), $sample) AS issues_looked_at,
    least(count(*) FILTER (plan <> ''), $sample) AS plans_looked_at,
    count(*) FILTER (truncated) AS truncated
FROM summaries
WHERE day BETWEEN $first AND $last
