"""What an operator sees: metrics, traces, alerts and the dashboard, of real processes watched by a real Prometheus."""

import copy
import html
import itertools
import json
import re
import subprocess
import time

import pytest
import requests
import yaml

import drawing
from client import Application
from collector import CLIENT, SERVER
from conftest import Someone
from stack import ROOT, Stack
from watched import DASHBOARD, PROMETHEUS, Watched, filled_in

RULES = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"][0]["rules"]
METRIC = re.compile(r"\b(?:countersign|process)_[a-z0-9_]+\b|\bup\b")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    stack = Watched(tmp_path_factory.mktemp("watched") / "var")
    try:
        stack.start()
        use(stack)
        # Rates need two scrapes after what is to be seen.
        scrapes = scrape_count(stack)
        stack.wait_for(lambda: scrape_count(stack) >= scrapes + 3, 30, "three more scrapes")
        yield stack
    finally:
        stack.stop()


def scrape_count(stack: Watched) -> int:
    return min(int(float(item["value"][1])) for item in stack.query('count_over_time(up{job="countersign"}[1h])'))


def use(stack: Watched) -> None:
    """A little of everything that is measured: sign-ins by number, declined and reported ones, codes, guesses, streams, wake-ups."""
    demo = stack.demo()
    application, someone = Application(demo), Someone(demo)
    request = application.begin(someone.username).json()
    assert someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
    assert application.status(request, wait=1)["status"] == "approved"
    assert application.redeem(request).status_code == 200
    # With an address of a provider that this stack has no account with, and without a stream: tried in vain.
    reply = someone.phone.call("PATCH", "", body={"push": {"transport": "fcm", "token": "f" * 40}})
    assert reply.status_code == 200, reply.text
    request = application.begin(someone.username).json()
    listening = someone.phone.events()
    assert next(event for event, data in listening if event and data["id"] == request["id"]) == "challenge"
    listening.close()
    assert application.code(request, "000000", password=someone.password).status_code == 422
    someone.phone.answer(someone.phone.challenge(request["id"]), "decline")
    assert someone.browser.sign_in(someone.username, password="wrong").status_code == 401
    request = application.begin(someone.username).json()
    someone.phone.answer(someone.phone.challenge(request["id"]), "report")
    application.begin("nobody")


# --- metrics ----------------------------------------------------------------------------------------------------------


def exposition(stack: Stack, service: str) -> str:
    return requests.get(stack.operations(service) + "/metrics", timeout=5).text


@pytest.mark.parametrize("service", Stack.SERVICES)
def test_metrics_are_as_prometheus_wants_them(watched, service):
    run = subprocess.run(["promtool", "check", "metrics"], input=exposition(watched, service), capture_output=True, text=True, timeout=20)
    assert (run.returncode, run.stdout + run.stderr) == (0, ""), run.stdout + run.stderr


def documented() -> dict[str, tuple[str, set[str], set[str]]]:
    """Name to type, labels and processes, of the table in docs/metrics.md."""
    metrics = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if match := re.match(r"\| `(\w+)` \| (\w+) \|([^|]*)\|([^|]*)\|", line):
            name, kind, labels, processes = match.groups()
            assert name not in metrics, f"{name} is documented twice"
            named = set(re.findall(r"\w+", processes))
            everybody = set(Stack.SERVICES)
            metrics[name] = (kind, set(re.findall(r"`(\w+)`", labels)), {"all": everybody, "stores": everybody - {"gateway"}}.get(processes.strip(), named))
    return metrics


def test_every_metric_is_documented_and_every_documented_one_is_there(watched):
    exposed: dict[str, tuple[str, set[str], set[str]]] = {}
    for service in Stack.SERVICES:
        text = exposition(watched, service)
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M):
            labels = {label for sample in re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*)\}} ", text, re.M) for label in re.findall(r'(\w+)="', sample)} - {"le"}
            _, known, processes = exposed.get(name, (kind, set(), set()))
            exposed[name] = (kind, known | labels, processes | {service})
    table = documented()
    assert set(exposed) == set(table), set(exposed) ^ set(table)
    for name, (kind, labels, processes) in exposed.items():
        assert (kind, processes) == (table[name][0], table[name][2]), (name, kind, processes, table[name])
        # A label shows with the first sample, which not every metric has here.
        assert labels in (set(), table[name][1]), (name, labels, table[name])


# --- traces -----------------------------------------------------------------------------------------------------------


def test_the_spans_of_one_sign_in_form_a_tree_over_all_processes(watched):
    demo, collector = watched.demo(), watched.collector
    application, someone = Application(demo), Someone(demo)
    trace, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    headers = {"traceparent": f"00-{trace}-{caller}-01"}
    begun = application.begin(someone.username, headers=headers)
    request = begun.json()
    # The phone's own requests name another trace.
    answer_trace = "11111111111111112222222222222222"
    someone.phone.http.headers["traceparent"] = f"00-{answer_trace}-3333333333333333-01"
    challenge = someone.phone.challenge(request["id"])
    assert someone.phone.answer(challenge, number=request["number"]).json()["status"] == "approved"
    assert application.redeem(request, headers=headers).status_code == 200

    def names(of_trace: str) -> set[tuple[str, str, int]]:
        return {(span["service"].removeprefix("countersign-"), span["name"], span["kind"]) for span in collector.of_trace(of_trace)}

    begin = {
        ("gateway", "POST /v1/{tenant}/sign-ins", SERVER), ("gateway", "challenge/BeginChallenge", CLIENT),
        ("challenge", "challenge/BeginChallenge", SERVER), ("challenge", "registration/ResolvePerson", CLIENT),
        ("registration", "registration/ResolvePerson", SERVER), ("challenge", "notifier/Notify", CLIENT),
        ("notifier", "notifier/Notify", SERVER), ("gateway", "POST /v1/{tenant}/sign-ins/{id}/redeem", SERVER),
        ("challenge", "challenge/Redeem", SERVER),
    }
    answer = {
        ("gateway", "POST /v1/{tenant}/challenges/{challenge}/answer", SERVER), ("gateway", "verifier/VerifyAnswer", CLIENT),
        ("verifier", "verifier/VerifyAnswer", SERVER), ("verifier", "challenge/Settle", CLIENT), ("challenge", "challenge/Settle", SERVER),
    }
    watched.wait_for(lambda: begin <= names(trace) and answer <= names(answer_trace), 20, f"the spans; there are {names(trace)} and {names(answer_trace)}")

    for of_trace, root in ((trace, caller), (answer_trace, "3333333333333333")):
        spans = {span["spanId"]: span for span in collector.of_trace(of_trace)}
        assert len(spans) == len(collector.of_trace(of_trace)), "a span came twice"
        for span in spans.values():
            assert span["parentSpanId"] == root or span["parentSpanId"] in spans, span
            assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 1.7e18
            parent = spans.get(span["parentSpanId"])
            if parent is not None and parent["kind"] == CLIENT:
                # What one process asks another answers, under the same name.
                assert (span["kind"], span["name"]) == (SERVER, parent["name"]) and span["service"] != parent["service"], (parent, span)
    [handled] = [span for span in collector.of_trace(trace) if span["name"] == "challenge/BeginChallenge" and span["kind"] == SERVER]
    [settled] = [span for span in collector.of_trace(answer_trace) if span["name"] == "challenge/Settle" and span["kind"] == SERVER]
    assert [(link["traceId"], link["spanId"]) for link in settled["links"]] == [(trace, handled["spanId"])]
    [edge] = [span for span in collector.of_trace(trace) if span["name"] == "POST /v1/{tenant}/sign-ins"]
    assert edge["attributes"]["http.response.status_code"] == "201"
    assert edge["attributes"]["countersign.request_id"] == handled["attributes"]["countersign.request_id"] == begun.headers["X-Request-Id"]
    # Logs name the trace beside the request.
    for service in ("gateway", "challenge"):
        lines = [json.loads(line) for line in (watched.var / f"log/{service}.log").read_text().splitlines() if line.startswith("{")]
        named = [line for line in lines if line.get("requestId") == begun.headers["X-Request-Id"] and "trace_id" in line]
        assert named and {line["trace_id"] for line in named} == {trace}, service
    assert collector.faults == []
    # Nothing that a span says is a secret, a number or a person.
    told = json.dumps(collector.spans)
    for secret in (request["secret"], someone.username, someone.password, someone.phone.id, request["id"]):
        assert secret not in told


def test_what_an_administrator_asks_for_is_followed_to_policy(watched):
    demo, trace = watched.demo(), "88888888888888889999999999999999"
    reply = requests.get(
        f"{demo['base']}/v1/{demo['tenant']}/admin/policies/authenticator", timeout=10,
        headers={"Authorization": f"Bearer {demo['admin']['token']}", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert reply.status_code == 200, reply.text
    asked = {("countersign-gateway", CLIENT), ("countersign-policy", SERVER)}
    watched.wait_for(
        lambda: asked <= {(span["service"], span["kind"]) for span in watched.collector.of_trace(trace) if span["name"].startswith("policy/")},
        20, "the spans of gateway and policy")


def test_what_is_not_sampled_leaves_no_span_anywhere(watched):
    trace = "99999999999999998888888888888888"
    Application(watched.demo()).begin("alice", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-00"})
    Application(watched.demo()).begin("alice")
    # A later, sampled request has left by the time that its own spans are here.
    later = "77777777777777776666666666666666"
    Application(watched.demo()).begin("alice", headers={"traceparent": f"00-{later}-00f067aa0ba902b7-01"})
    watched.wait_for(lambda: len(watched.collector.of_trace(later)) >= 4, 20, "the later request's spans")
    assert watched.collector.of_trace(trace) == []


def test_a_collector_that_is_away_costs_spans_and_no_sign_in(watched):
    watched.collector.status = 400
    try:
        headers = {"traceparent": "00-55555555555555554444444444444444-00f067aa0ba902b7-01"}
        assert Application(watched.demo()).begin("alice", headers=headers).status_code == 201
        refused = r'^countersign_trace_spans_total\{outcome="refused"\} [1-9]'
        watched.wait_for(lambda: re.search(refused, exposition(watched, "gateway"), re.M), 20, "the gateway to count what was refused")
    finally:
        watched.collector.status = 200


def test_a_collector_that_is_busy_gets_the_spans_later_and_once(watched):
    trace, collector = "33333333333333332222222222222222", watched.collector
    collector.status, before = 503, collector.refused
    try:
        Application(watched.demo()).begin("alice", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        watched.wait_for(lambda: collector.refused > before, 20, "a message that is refused")
    finally:
        collector.status = 200
    watched.wait_for(lambda: {span["service"] for span in collector.of_trace(trace)} >= {"countersign-gateway", "countersign-challenge"}, 20, "the spans")
    spans = [span["spanId"] for span in collector.of_trace(trace)]
    assert len(spans) == len(set(spans)) and collector.faults == []


# --- Prometheus and Grafana -------------------------------------------------------------------------------------------


# Nothing is wrong here, so that these have not happened: no call was repeated, no message of another was refused.
QUIET = {"countersign_bus_calls_total"}


def expressions() -> list[tuple[str, str]]:
    """Title and query of every panel."""
    return [(panel["title"], filled_in(target["expr"], "30s")) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def test_every_query_of_the_dashboard_finds_something(watched):
    silent = [
        (title, query) for title, query in expressions()
        if not watched.query(query) and not set(METRIC.findall(query)) & QUIET
    ]
    assert silent == []


def test_the_dashboards_variables_and_its_marks_ask_for_what_is_there(watched):
    chosen = {}
    for variable in DASHBOARD["templating"]["list"]:
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
        chosen[variable["name"]] = {item["metric"][label] for item in watched.query(f"group by ({label}) ({filled_in(series, '30s')})")}
    assert chosen["process"] == set(Stack.SERVICES) and len(chosen["instance"]) == len(Stack.SERVICES)
    [marks] = DASHBOARD["annotations"]["list"]
    # Nothing fires here; every name is that of a rule.
    assert watched.query(marks["expr"]) == []
    [named] = re.findall(r'alertname=~"(.*?)"', marks["expr"])
    assert all(re.fullmatch(named, rule["alert"]) for rule in RULES)


def test_the_dashboard_is_drawn_with_every_panel_and_every_series(watched):
    end = time.time()
    page = drawing.page(DASHBOARD, lambda query: watched.query_range(filled_in(query, "30s"), end - 30, end, 1), (end - 30, end))
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert page.count("<section") == len(panels) and page.count("<h2") == len(DASHBOARD["panels"]) - len(panels)
    assert all(html.escape(panel["title"]) in page for panel in panels)
    assert page.count("No data") < len(panels) / 4 and "deviceBasedPush" not in page
    assert html.escape("challenge BeginChallenge") in page and "approved" in page


def test_every_alert_looks_at_what_is_there_and_none_fires(watched):
    for rule in RULES:
        for name in METRIC.findall(rule["expr"]):
            assert name in QUIET or watched.query(name), (rule["alert"], name)
        watched.query(rule["expr"])
    firing = watched.query('ALERTS{alertstate="firing"}')
    assert firing == []
    assert {rule["alert"] for rule in RULES} == {
        rule["name"] for group in requests.get(watched.prometheus + "/api/v1/rules", timeout=10).json()["data"]["groups"] for rule in group["rules"]
    }


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    cases = [case for test in yaml.safe_load((PROMETHEUS / "alerts.test.yaml").read_text())["tests"] for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == alerts


def test_every_alert_and_every_error_code_is_in_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    headings = re.findall(r"^### (\w+)$", runbook, re.M)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    contract = (ROOT / "docs/protocol/http.md").read_text()
    table = contract[contract.index("| Status | Codes |"):].split("\n\n")[0]
    codes = {code for line in table.splitlines()[2:] for code in re.findall(r"`(\w+)`", line)}
    explained = set(re.findall(r"^\| `(\w+)` \|", runbook, re.M))
    assert codes == explained, codes ^ explained


def dashboard_faults(dashboard: dict, sources: set[str]) -> list[str]:
    """What Grafana would show wrongly, or not at all, by its documentation of the dashboard JSON model."""
    faults, taken, ids = [], {}, set()
    if not {"uid", "title", "panels", "templating", "time", "schemaVersion"} <= set(dashboard) or "id" in dashboard:
        faults.append("a provisioned dashboard has a uid and a schemaVersion, and no id")
    # 36 is the first in which a data source is a type and a uid.
    if not isinstance(dashboard.get("schemaVersion"), int) or dashboard["schemaVersion"] < 36 or len(dashboard.get("uid", "")) > 40:
        faults.append("schemaVersion or uid is out of range")
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    asking = list(variables.values()) + dashboard["annotations"]["list"]
    for panel in dashboard["panels"]:
        name, place = panel["title"], panel["gridPos"]
        if panel["id"] in ids or panel["id"] < 1:
            faults.append(f"{name}: its id is another panel's")
        ids.add(panel["id"])
        if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > 24:
            faults.append(f"{name}: it stands beside the 24 columns")
        for cell in itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])):
            if taken.setdefault(cell, name) != name:
                faults.append(f"{name}: it stands on {taken[cell]}")
                break
        if panel["type"] == "row":
            if panel.get("panels") != [] or panel.get("collapsed") is not False:
                faults.append(f"{name}: an open row has an empty list of panels")
            continue
        asking += [panel, *panel["targets"]]
        letters = [target["refId"] for target in panel["targets"]]
        if not letters or len(letters) != len(set(letters)):
            faults.append(f"{name}: its targets need a refId each")
        for target in panel["targets"]:
            unknown = set(re.findall(r"\$(\w+)", target["expr"])) - set(variables) - {"__rate_interval"}
            unnamed = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) - set(re.findall(r"\w+", target["expr"])) - {"instance", "process"}
            faults += [f"{name}: there is no {word}" for word in sorted(unknown | unnamed)]
    faults += [f"{asked.get('title') or asked.get('name') or asked.get('refId')}: its data source is not provisioned"
               for asked in asking if asked.get("datasource", {}).get("uid") not in sources]
    return faults


def test_dashboard_and_provisioning_fit_together():
    [source] = yaml.safe_load((ROOT / "compose/grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert dashboard_faults(DASHBOARD, {source["uid"]}) == []
    metrics = set(documented())
    for _, query in expressions():
        for name in METRIC.findall(query):
            assert name == "up" or re.sub(r"_(bucket|sum|count)$", "", name) in metrics or name in metrics, name


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda board, panel: board.pop("uid"), "has a uid"),
        (lambda board, panel: board.update(schemaVersion=16), "schemaVersion"),
        (lambda board, panel: panel.update(id=board["panels"][0]["id"]), "another panel's"),
        (lambda board, panel: panel["gridPos"].update(x=20, w=8), "24 columns"),
        (lambda board, panel: panel["gridPos"].update(board["panels"][2]["gridPos"]), "stands on"),
        (lambda board, panel: board["panels"][0].pop("panels"), "open row"),
        (lambda board, panel: panel["targets"].append(panel["targets"][0]), "a refId each"),
        (lambda board, panel: panel["targets"][0].update(expr="up{instance=~'$host'}"), "there is no host"),
        (lambda board, panel: panel["datasource"].update(uid="another"), "not provisioned"),
    ],
)
def test_what_grafana_would_not_show_is_found(spoil, said):
    board = copy.deepcopy(DASHBOARD)
    spoil(board, board["panels"][1])
    assert any(said in fault for fault in dashboard_faults(board, {"countersign-prometheus"}))
