-- Conversations by outcome, for each value of each dimension; yes_unknown is accepted, with a sentiment not known.
-- $attributes names attributes that are dimensions, too; their values with fewer conversations than $min_count count
-- together, and so do the next few where even these together would be fewer: subtraction must not show them. Values
-- beyond a dimension's thousand most frequent count together, too. Hours are those of the time zone $zone.
-- Few combinations are counted first, and each dimension by itself from these: ten million rows are counted four times
-- and not nine. Quarters of an hour stand for the hour: no time zone cuts through one.
WITH marked AS NOT MATERIALIZED (
    SELECT
        accepted,
        negative_sentiment AS negative,
        coalesce(channel, '') AS channel,
        epoch_us(started_at) // 900000000 AS quarter,
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
by_traits AS MATERIALIZED (
    SELECT channel, turns, model, prompt_version, accepted, negative, count(*) AS conversations
    FROM marked
    GROUP BY ALL
),
by_themes AS MATERIALIZED (
    SELECT theme, plan_theme, accepted, negative, count(*) AS conversations
    FROM marked
    GROUP BY ALL
),
by_quarter AS (
    SELECT quarter, accepted, negative, count(*) AS conversations
    FROM marked
    GROUP BY ALL
),
named AS (
    SELECT unnest(list_distinct(CAST($attributes AS VARCHAR[]))) AS name
),
by_attribute AS MATERIALIZED (
    SELECT entry.key AS name, entry.value AS value_key, accepted, negative, count(*) AS conversations
    FROM (
        SELECT unnest(map_entries(attributes)) AS entry, accepted, negative
        FROM marked
        WHERE len(CAST($attributes AS VARCHAR[])) > 0
    )
    WHERE list_contains(CAST($attributes AS VARCHAR[]), entry.key) AND entry.value <> ''
    GROUP BY ALL
),
counted AS (
    SELECT 'channel' AS dimension, channel AS value_key, accepted, negative, conversations, 0 AS least FROM by_traits
    UNION ALL
    SELECT 'turns', turns, accepted, negative, conversations, 0 FROM by_traits
    UNION ALL
    SELECT 'model', model, accepted, negative, conversations, 0 FROM by_traits
    UNION ALL
    SELECT 'prompt_version', prompt_version, accepted, negative, conversations, 0 FROM by_traits
    UNION ALL
    SELECT 'all', 'all', accepted, negative, conversations, 0 FROM by_themes
    UNION ALL
    SELECT 'theme', theme, accepted, negative, conversations, 0 FROM by_themes
    UNION ALL
    SELECT 'plan_theme', plan_theme, accepted, negative, conversations, 0 FROM by_themes
    UNION ALL
    SELECT
        'hour',
        coalesce(strftime(timezone($zone, make_timestamptz(quarter * 900000000)), '%H'), ''),
        accepted,
        negative,
        conversations,
        0
    FROM by_quarter
    UNION ALL
    SELECT name, value_key, accepted, negative, conversations, $min_count FROM by_attribute
    UNION ALL
    -- Those that do not name a value: all, less those that do.
    SELECT name, '', accepted, negative, conversations, $min_count
    FROM named, by_themes
    UNION ALL
    SELECT name, '', accepted, negative, -conversations, $min_count
    FROM by_attribute
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
WHERE total > 0 OR dimension = 'all'
GROUP BY ALL
ORDER BY dimension, value_key
