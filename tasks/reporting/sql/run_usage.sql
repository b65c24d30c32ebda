-- What the runs that published $first to $last took, added up; null where no run states it. quota_use is weighted by
-- seconds; what a run could not read counts of each day's last run alone, and logs_complete is the last day's.
SELECT
    coalesce(list_sort(list(DISTINCT run_id) FILTER (run_id <> '')), []) AS runs,
    coalesce(list_sort(list(DISTINCT version) FILTER (version <> '')), []) AS versions,
    coalesce(list_sort(list(DISTINCT currency) FILTER (currency <> '')), []) AS currencies,
    max(finished_at) AS finished_at,
    CAST(sum(calls) AS BIGINT) AS calls,
    CAST(sum(retries) AS BIGINT) AS retries,
    CAST(sum(quota_refusals) AS BIGINT) AS quota_refusals,
    CAST(sum(reused) AS BIGINT) AS reused,
    CAST(sum(log_objects) AS BIGINT) AS log_objects,
    CAST(sum(prompt_tokens) AS BIGINT) AS prompt_tokens,
    CAST(sum(completion_tokens) AS BIGINT) AS completion_tokens,
    sum(seconds) AS seconds,
    sum(cost) AS cost,
    CAST(sum(golden_calls) AS BIGINT) AS golden_calls,
    sum(golden_cost) AS golden_cost,
    sum(quota_use * seconds) / sum(seconds) FILTER (quota_use > 0 AND seconds > 0) AS quota_use,
    arg_max(logs_complete, day) FILTER (last_of_day AND logs_complete IS NOT NULL) AS logs_complete,
    CAST(coalesce(sum(unread_files) FILTER (last_of_day), 0) AS BIGINT) AS unread_files,
    CAST(coalesce(sum(unread_conversations) FILTER (last_of_day), 0) AS BIGINT) AS unread_conversations,
    CAST(coalesce(sum(outside_day) FILTER (last_of_day), 0) AS BIGINT) AS outside_day
FROM runs
WHERE day BETWEEN $first AND $last
