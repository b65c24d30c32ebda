-- What makes customers unhappy: each theme's part of all conversations that ended badly.
WITH marked AS (
    SELECT coalesce(theme, '') AS theme, coalesce(negative_sentiment, false) OR NOT coalesce(accepted, true) AS unhappy
    FROM summaries
)
SELECT
    theme,
    count(*) AS conversations,
    count(*) FILTER (unhappy) AS unhappy,
    count(*) FILTER (unhappy) / count(*) AS unhappy_share,
    count(*) FILTER (unhappy) / sum(count(*) FILTER (unhappy)) OVER () AS part_of_all_unhappy
FROM marked
GROUP BY theme
ORDER BY unhappy DESC, theme
