"""Checks of the image, the compose file and the job templates that need no engine: all they name exists.

With an engine: test_compose.py. As processes: test_compose_by_hand.py.
"""

import ast
import json
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest
from packaging.specifiers import SpecifierSet
from prefect.settings import Settings

from deployments.worker import GRACE_SECONDS, STOP_SECONDS
from flows.wiring.settings import flags
from flows.wiring.version import RELEASE
from tests.conftest import ROOT
from tests.servers.composed import COMPOSE, DOCKERFILE, SERVICES, image_environment, said
from tests.servers.prefect import PrefectServer

FOLDER = ROOT / "deployments"
TEMPLATES = sorted((FOLDER / "work_pools").glob("*.json"))
IMAGE = f"kefu-digest:{RELEASE}"


def prefect_settings() -> set[str]:
    """Every environment variable that this Prefect reads."""
    found: set[str] = set()

    def walk(model: Any) -> None:
        prefix = model.model_config.get("env_prefix", "")
        for name, field in model.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                walk(field.annotation)
                continue
            found.add(f"{prefix}{name}".upper())
            choices = getattr(field.validation_alias, "choices", [])
            found.update(choice.upper() for choice in choices if isinstance(choice, str))

    walk(Settings)
    return found


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, SERVICES[request.param]


def test_images_are_pinned_to_a_release():
    (base,) = re.findall(r"^ARG BASE_IMAGE=(\S+)", DOCKERFILE, re.MULTILINE)
    for image in [base] + [declared["image"] for declared in SERVICES.values()]:
        assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), image
    assert {declared["image"] for declared in SERVICES.values() if "build" in declared} == {IMAGE}
    assert f"--tag {IMAGE} " in DOCKERFILE
    assert {line.split()[0] for line in said("FROM")} == {"${BASE_IMAGE}"}


def test_the_files_say_why_bases_are_tags_and_how_they_are_kept_fresh():
    for words in ("--pull", "--build-arg BASE_IMAGE=python@sha256:", "docker buildx imagetools inspect"):
        assert words in DOCKERFILE
    assert "pulled anew" in (FOLDER / "compose.yaml").read_text(encoding="utf-8")


def test_image_has_a_python_that_the_project_runs_on():
    wanted = re.search(r'requires-python = "(.+?)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    has = re.search(r"python:([\d.]+)", DOCKERFILE)
    assert wanted
    assert has
    assert has[1] in SpecifierSet(wanted[1])


def test_image_copies_what_is_there_and_what_is_not_ignored():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for line in said("COPY") if "--from" not in line for source in line.split()[:-1]}
    assert {source.partition("/")[0] for source in copied} == kept
    assert all((ROOT / source).exists() for source in copied)


def test_image_runs_as_nobody_in_particular_in_its_own_folder():
    assert said("USER")[-1] == "10001:10001"
    environment = image_environment()
    assert environment["KEFU_HOME"] == said("WORKDIR")[-1]
    assert all(environment[name].startswith("/data") for name in ("HOME", "PREFECT_HOME", "KEFU_WAREHOUSE"))
    assert environment["PREFECT_UI_STATIC_DIRECTORY"].startswith("/tmp/"), (
        "the server writes its pages before it shows them"
    )
    assert said("VOLUME") == ["/data"]
    program, option, module, *_ = json.loads(said("CMD")[-1])
    assert (program, option) == ("python", "-m")
    assert find_spec(module)


@pytest.mark.parametrize(
    "path", [FOLDER / "Dockerfile", FOLDER / "compose.yaml", *TEMPLATES], ids=lambda path: path.name
)
def test_no_host_outside_is_named(path):
    hosts = set(re.findall(r"https?://([^/:'\"]+)", path.read_text(encoding="utf-8")))
    assert hosts <= {"127.0.0.1", "server"}


def test_service_is_locked_up_and_comes_back(service):
    name, declared = service
    assert declared["read_only"] is True
    assert declared["cap_drop"] == ["ALL"]
    assert declared["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit", "logging"} <= set(declared)
    assert declared["restart"].startswith("on-failure" if name == "set-up" else "unless-stopped")
    assert declared.get("user", "10001:10001").split(":")[0] != "0"
    assert ("healthcheck" in declared) == (name != "set-up")
    assert all(port.startswith("127.0.0.1:") for port in declared.get("ports", []))


def test_service_names_only_what_exists(service):
    _, declared = service
    assert set(declared.get("depends_on", {})) <= set(SERVICES)
    assert {volume.partition(":")[0] for volume in declared.get("volumes", [])} <= set(COMPOSE["volumes"])
    known = prefect_settings() | {f"KEFU_{name.upper()}" for name in flags()}
    ours = {"KEFU_HOME", "KEFU_WEBHOOK_URL"}
    if "build" in declared:
        assert (ROOT / declared["build"]["dockerfile"]).exists()
        named = {
            name
            for name in {**declared["environment"], **image_environment()}
            if name.startswith(("PREFECT_", "KEFU_"))
        }
        assert named - known - ours == set()


def test_what_passes_through_a_worker_is_on_its_disk_and_a_stop_leaves_time_to_keep_it():
    worker = SERVICES["worker"]
    (mounted,) = (volume.split(":")[1] for volume in worker["volumes"])
    assert worker["environment"]["TMPDIR"].startswith(f"{mounted}/")
    assert int(worker["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


def test_commands_are_ones_that_exist():
    text = "\n".join(" ".join(declared["command"]) for declared in SERVICES.values() if "command" in declared)
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert find_spec(module)
    for path in re.findall(r"deployments/[\w.]+", text):
        assert (ROOT / path).exists()
    for declared in SERVICES.values():
        test = declared.get("healthcheck", {}).get("test", [])
        if "-c" in test:
            ast.parse(test[-1])
        elif "-m" in test:
            assert find_spec(test[test.index("-m") + 1])


@pytest.mark.parametrize("name", ["server", "reports", "watch"])
def test_commands_know_their_flags(name, capsys):
    program, option, module, *words = SERVICES[name]["command"]
    assert (program, option) == ("python", "-m")
    with pytest.raises(SystemExit, match="0"):
        import_module(module).main(["--help"])
    told = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in told] == []


def test_prefect_knows_the_flags_that_the_worker_hands_on(prefect_api: PrefectServer):
    handed_on = [word for word in SERVICES["worker"]["command"] if word.startswith("--")]
    told = prefect_api.prefect("worker", "start", "--help", folder=ROOT)
    assert [word for word in handed_on if word not in told] == []


def test_nothing_starts_without_a_login_and_whoever_calls_the_server_has_it():
    login = SERVICES["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"]
    assert login.startswith("${PREFECT_SERVER_API_AUTH_STRING:?")
    for name in ("set-up", "worker", "watch"):
        environment = SERVICES[name]["environment"]
        assert environment["PREFECT_API_AUTH_STRING"] == login
        assert urlsplit(environment["PREFECT_API_URL"]).hostname in SERVICES["server"]["command"], "it answers no other"
    assert SERVICES["reports"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == login


@pytest.mark.parametrize("name", ["server", "set-up", "worker", "watch"])
def test_no_proxy_stands_before_the_server(name):
    near = SERVICES[name]["environment"]["NO_PROXY"].split(",")
    assert {"server", "127.0.0.1", "${NO_PROXY-}"} <= set(near)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_job_template_is_taken_by_a_server_and_fills_every_slot(path, prefect_api: PrefectServer):
    template = json.loads(path.read_text(encoding="utf-8"))
    variables = template["variables"]["properties"]
    slots = set(re.findall(r"{{ (\w+) }}", json.dumps(template["job_configuration"])))
    assert slots == set(variables)
    assert variables["image"]["default"] == IMAGE
    pool = {"name": f"try-{path.stem}", "type": path.stem, "base_job_template": template}
    with prefect_api.client() as api:
        api.post("/work_pools/", json=pool).raise_for_status()
    assert "env" in slots, "the deployments say there how often a run beats"


def test_docker_jobs_find_what_the_compose_file_makes():
    template = json.loads((FOLDER / "work_pools" / "docker.json").read_text(encoding="utf-8"))
    defaults = {name: slot.get("default") for name, slot in template["variables"]["properties"].items()}
    worker = SERVICES["worker"]
    assert defaults["env"] == {"PREFECT_API_URL": worker["environment"]["PREFECT_API_URL"]}
    assert defaults["networks"] == [f"{COMPOSE['name']}_default"]
    assert defaults["volumes"] == [f"{COMPOSE['name']}_{volume}" for volume in worker["volumes"]]


def test_kubernetes_jobs_are_locked_up_too():
    template = json.loads((FOLDER / "work_pools" / "kubernetes.json").read_text(encoding="utf-8"))
    pod = template["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:10001" == said("USER")[-1]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False
    assert {"memory", "ephemeral-storage"} <= set(container["resources"]["limits"])
    assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS
    assert pod["enableServiceLinks"] is False, "a Service named kefu-… would put KEFU_… names into the environment"
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
