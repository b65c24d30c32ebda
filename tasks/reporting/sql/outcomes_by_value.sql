-- Conversations by outcome, for each value of each dimension; yes_unknown is accepted, with a sentiment not known.
-- $attributes names attributes that are dimensions, too; their values with fewer conversations than $min_count count
-- together, and so do the next few where even these together would be fewer: subtraction must not show them. Values
-- beyond a dimension's thousand most frequent count together, too. Hours are those of the time zone $zone.
WITH marked AS (
    SELECT
        accepted,
        negative_sentiment AS negative,
        coalesce(channel, '') AS channel,
        coalesce(strftime(timezone($zone, started_at), '%H'), '') AS hour,
        CASE
            WHEN turns >= 30 THEN '30+'
            WHEN turns >= 20 THEN '20-29'
            WHEN turns >= 10 THEN '10-19'
            WHEN turns >= 5 THEN '5-9'
            ELSE '1-4'
        END AS turns,
        coalesce(model, '') AS model,
        coalesce(prompt_version, '') AS prompt_version,
        coalesce(theme, '') AS theme,
        coalesce(plan_theme, '') AS plan_theme,
        attributes
    FROM summaries
    WHERE day BETWEEN $first AND $last
),
counted AS (
    SELECT
        CASE grouping_id(channel, hour, turns, model, prompt_version, theme, plan_theme)
            WHEN 127 THEN 'all'
            WHEN 63 THEN 'channel'
            WHEN 95 THEN 'hour'
            WHEN 111 THEN 'turns'
            WHEN 119 THEN 'model'
            WHEN 123 THEN 'prompt_version'
            WHEN 125 THEN 'theme'
            ELSE 'plan_theme'
        END AS dimension,
        coalesce(channel, hour, turns, model, prompt_version, theme, plan_theme, 'all') AS value_key,
        accepted,
        negative,
        count(*) AS conversations,
        0 AS least
    FROM marked
    GROUP BY accepted, negative, GROUPING SETS (
        (), (channel), (hour), (turns), (model), (prompt_version), (theme), (plan_theme)
    )
    UNION ALL
    SELECT name, coalesce(attributes[name], ''), accepted, negative, count(*), $min_count
    FROM marked, unnest(CAST($attributes AS VARCHAR[])) AS named (name)
    GROUP BY name, coalesce(attributes[name], ''), accepted, negative
    UNION ALL
    SELECT 'all', 'all', NULL, NULL, 0, 0
),
ranked AS (
    SELECT
        dimension,
        value_key,
        sum(conversations) AS total,
        row_number() OVER (PARTITION BY dimension ORDER BY sum(conversations) DESC, value_key) AS place,
        sum(sum(conversations)) OVER (
            PARTITION BY dimension
            ORDER BY sum(conversations), value_key DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS in_smaller
    FROM counted
    GROUP BY dimension, value_key
)
SELECT
    dimension,
    CASE WHEN place > 1000 OR total < least OR in_smaller BETWEEN 1 AND least - 1 THEN '(other)' ELSE value_key END AS value_key,
    CAST(coalesce(sum(conversations) FILTER (accepted AND negative), 0) AS BIGINT) AS yes_yes,
    CAST(coalesce(sum(conversations) FILTER (accepted AND NOT negative), 0) AS BIGINT) AS yes_no,
    CAST(coalesce(sum(conversations) FILTER (accepted AND negative IS NULL), 0) AS BIGINT) AS yes_unknown,
    CAST(coalesce(sum(conversations) FILTER (NOT accepted AND negative), 0) AS BIGINT) AS no_yes,
    CAST(coalesce(sum(conversations) FILTER (NOT accepted AND NOT negative), 0) AS BIGINT) AS no_no,
    CAST(coalesce(sum(conversations) FILTER (NOT accepted AND negative IS NULL), 0) AS BIGINT) AS no_unknown,
    CAST(coalesce(sum(conversations) FILTER (accepted IS NULL AND negative), 0) AS BIGINT) AS unknown_yes,
    CAST(coalesce(sum(conversations) FILTER (accepted IS NULL AND NOT negative), 0) AS BIGINT) AS unknown_no,
    CAST(coalesce(sum(conversations) FILTER (accepted IS NULL AND negative IS NULL), 0) AS BIGINT) AS unknown_unknown
FROM counted JOIN ranked USING (dimension, value_key)
GROUP BY ALL
ORDER BY dimension, value_key
