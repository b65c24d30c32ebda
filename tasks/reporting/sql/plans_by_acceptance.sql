-- Which plans are refused: plans offered at least twenty times, the least accepted first. Unknown answers are left out
-- of the share.
SELECT
    plan,
    count(*) AS offered,
    count(accepted) AS answered,
    count(*) FILTER (accepted) / nullif(count(accepted), 0) AS accepted_of_answered
FROM summaries
WHERE plan <> ''
GROUP BY plan
HAVING count(*) >= 20
ORDER BY accepted_of_answered, plan
