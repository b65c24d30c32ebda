-- The table METRICS: each figure in long form. It reads the answers to other questions: outcomes (outcomes_by_value),
-- words (the same of words), reasons (rejects_by_reason), texts (texts_known) and used (run_usage).
-- A share's value is numerator / denominator, null where there is nothing to divide; counts have no denominator.
WITH groups AS (
    SELECT
        *,
        yes_yes + yes_no + yes_unknown AS accepted,
        no_yes + no_no + no_unknown AS not_accepted,
        unknown_yes + unknown_no + unknown_unknown AS accepted_unknown,
        yes_yes + no_yes + unknown_yes AS negative,
        yes_no + no_no + unknown_no AS not_negative,
        yes_unknown + no_unknown + unknown_unknown AS negative_unknown,
        accepted + not_accepted + accepted_unknown AS total
    FROM (FROM outcomes UNION ALL BY NAME FROM words)
),
whole AS (
    SELECT groups.*, total AS summarized, total + rejected AS read, rejected
    FROM groups, (SELECT CAST(coalesce(sum(conversations), 0) AS BIGINT) AS rejected FROM reasons)
    WHERE dimension = 'all'
),
shares AS (
    FROM (
        SELECT
            dimension, value_key, accepted AS accepted_share, not_accepted AS not_accepted_share,
            accepted_unknown AS accepted_unknown_share, negative AS negative_share,
            not_negative AS not_negative_share, negative_unknown AS negative_unknown_share, total AS denominator
        FROM groups
    )
    UNPIVOT (numerator FOR metric IN (
        accepted_share, not_accepted_share, accepted_unknown_share, negative_share, not_negative_share,
        negative_unknown_share
    ))
    UNION ALL BY NAME
    SELECT metric, 'all' AS dimension, 'all' AS value_key, numerator, read AS denominator
    FROM (SELECT read, summarized AS summarized_share, rejected AS rejected_share FROM whole)
    UNPIVOT (numerator FOR metric IN (summarized_share, rejected_share))
    UNION ALL BY NAME
    SELECT
        'rejected_share' AS metric, 'reason' AS dimension, reason AS value_key, conversations AS numerator,
        read AS denominator
    FROM reasons, whole
    UNION ALL BY NAME
    SELECT
        'outcome_share' AS metric, 'accepted_negative' AS dimension, replace(cell, '_', '/') AS value_key, numerator,
        total AS denominator
    FROM whole UNPIVOT (numerator FOR cell IN (
        yes_yes, yes_no, yes_unknown, no_yes, no_no, no_unknown, unknown_yes, unknown_no, unknown_unknown
    ))
    UNION ALL BY NAME
    SELECT metric, 'all' AS dimension, 'all' AS value_key, numerator, total AS denominator
    FROM (
        SELECT total, issues AS issue_known_share, plans AS plan_known_share, truncated AS truncated_share
        FROM texts, whole
    )
    UNPIVOT (numerator FOR metric IN (issue_known_share, plan_known_share, truncated_share))
    UNION ALL BY NAME
    SELECT
        'issue_word_sample_share' AS metric, 'all' AS dimension, 'all' AS value_key, issues_looked_at AS numerator,
        issues AS denominator
    FROM texts
    UNION ALL BY NAME
    SELECT
        'plan_word_sample_share' AS metric, 'all' AS dimension, 'all' AS value_key, plans_looked_at AS numerator,
        plans AS denominator
    FROM texts
),
counts AS (
    SELECT 'conversations' AS metric, 'all' AS dimension, 'all' AS value_key, read AS numerator FROM whole
    UNION ALL BY NAME
    SELECT 'summaries' AS metric, dimension, value_key, total AS numerator FROM groups
    UNION ALL BY NAME
    SELECT metric, 'run' AS dimension, 'all' AS value_key, numerator
    FROM used UNPIVOT (numerator FOR metric IN (
        calls, retries, quota_refusals, reused, prompt_tokens, completion_tokens
    ))
),
values_only AS (
    SELECT metric, 'run' AS dimension, 'all' AS value_key, "value"
    FROM used UNPIVOT ("value" FOR metric IN (seconds, cost, quota_use))
)
SELECT metric, dimension, value_key, "value", numerator, denominator
FROM (
    SELECT *, numerator / nullif(denominator, 0) AS "value" FROM shares
    UNION ALL BY NAME
    SELECT *, CAST(numerator AS DOUBLE) AS "value" FROM counts
    UNION ALL BY NAME
    FROM values_only
)
ORDER BY dimension, value_key, metric
