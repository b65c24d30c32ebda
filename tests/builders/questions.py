"""The ten questions of tasks/warehouse/README.md, by their files in tasks/reporting/sql."""

QUESTIONS = (
    "outcomes_by_day",
    "acceptance_by_channel_and_week",
    "dissatisfaction_by_theme",
    "plans_by_acceptance",
    "outcomes_by_agent",
    "missing_and_why",
    "models_and_prompts",
    "cost_by_day",
    "conversations_in_two_days",
    "days_published_since",
)
