"""Settings of what is made of a day's summaries: themes, questions, dimensions, golden conversations, reports."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.wiring.setting_values import Location, Names
from tasks.reporting.rules.dimensions import AttributeDimensions


class ReportSettings(BaseSettings):
    """The part of the settings that says what a day's figures are, and by what they are checked."""

    model_config = SettingsConfigDict(
        env_prefix="KEFU_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    themes: Location = Field(
        "", description="a TOML file with the shop's own taxonomy of themes; not set: the default one"
    )
    theme_endpoint: str = Field(
        "",
        description="the endpoint of a general model that assigns themes (flows.assign_themes): texts that it was "
        "asked about have its themes, all others go by rules; not set: all go by rules",
    )
    questions: Location = Field(
        "", description="a TOML file with the shop's own questions about conversations (flows.ask_questions)"
    )
    questions_same_call: bool = Field(
        False,
        description="ask --questions in the nightly's own call, behind its prompt, in place of flows.ask_questions; "
        "for general models: one that was fine-tuned for the four fields answers nothing else",
    )
    golden: int = Field(
        0,
        ge=0,
        le=1000,
        description="labeled conversations hidden among each night's calls, so that a change of the model shows; each "
        "is one more call; 0: none",
    )
    golden_labels: Location = Field(
        "", description="a file of SFT rows to take those from; not set: what reviewers labeled in the warehouse"
    )
    golden_hold: bool = Field(
        False, description="publish nothing (exit 4) when those are answered otherwise than on the nights before"
    )
    dimensions: Names = Field(
        (),
        description="attributes of the conversations that metrics are broken down by, too, such as shop,agent,sku",
    )
    reports_url: str = Field(
        "",
        description="where reports are served, such as https://kefu.example.com/reports: cards and runs link there",
    )
    alerts: Location = Field(
        "",
        description="a TOML file of alerts that stories fire, once each; not set: 10 more unhappy customers than usual",
    )
    dimension_min_count: int = Field(
        10, gt=0, description="values of --dimensions with fewer conversations than this are counted together"
    )

    @property
    def attributes(self) -> AttributeDimensions:
        """The attributes that figures are broken down by."""
        return AttributeDimensions(self.dimensions, self.dimension_min_count)
