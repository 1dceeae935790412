"""A system that a real Prometheus scrapes, with the rules and the dashboard of `compose`."""

import json
import pathlib
import shutil
import subprocess

import requests
import yaml

from collector import Collector
from stack import ROOT, Stack

PROMETHEUS = ROOT / "compose/prometheus"
DASHBOARD = json.loads((ROOT / "compose/grafana/dashboards/countersign.json").read_text())


def filled_in(query: str, interval: str) -> str:
    """A query of the dashboard with its variables filled in as Grafana does when everything is chosen."""
    query = query.replace("$__rate_interval", interval).replace("$process", ".*").replace("$instance", ".*")
    assert "$" not in query, query
    return query


class Watched(Stack):
    """A stack whose processes send their spans to a collector, and Prometheus scraping all of them, with our rules."""

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self.collector = Collector(self.first_port + 38)
        self.prometheus_process: subprocess.Popen | None = None
        self.prometheus = f"http://127.0.0.1:{self.first_port + 39}"
        for service in self.SERVICES:
            self.environment[f"COUNTERSIGN_{service.upper()}_TELEMETRY_TRACES_ENDPOINT"] = self.collector.url
            self.environment[f"COUNTERSIGN_{service.upper()}_TELEMETRY_TRACES_INTERVAL"] = "100ms"
        self.environment["COUNTERSIGN_GATEWAY_TELEMETRY_TRACES_RATIO"] = "0"
        self.environment["COUNTERSIGN_GATEWAY_TELEMETRY_TRACES_TRUST_CALLERS"] = "true"

    def start(self) -> "Watched":
        super().start()
        configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        # Of what the containers have beside the processes there is nothing here.
        [job] = configuration["scrape_configs"] = [job for job in configuration["scrape_configs"] if job["job_name"] == "countersign"]
        # The same labels as by DNS in containers, where each service has a name.
        ports = {service: self.operations(service).removeprefix("http://") for service in self.SERVICES}
        assert {entry["names"][0] for entry in job.pop("dns_sd_configs")} == set(ports)
        assert job.pop("relabel_configs") == [{"source_labels": ["__meta_dns_name"], "target_label": "process"}]
        job["scrape_timeout"] = "1s"
        job["static_configs"] = [{"targets": [target], "labels": {"process": service}} for service, target in ports.items()]
        folder = self.var / "prometheus"
        folder.mkdir()
        shutil.copy(PROMETHEUS / "alerts.yaml", folder)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        self.prometheus_log = open(folder / "log", "wb")
        self.prometheus_process = subprocess.Popen(
            [
                "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={self.prometheus.removeprefix('http://')}",
            ],
            stdout=self.prometheus_log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )
        self.wait_for(self.is_scraped, 30, "Prometheus to scrape every process")
        return self

    def is_scraped(self) -> bool:
        assert self.prometheus_process.poll() is None, (self.var / "prometheus/log").read_text()
        try:
            is_ready = requests.get(self.prometheus + "/-/ready", timeout=10).status_code == 200
            return is_ready and len(self.query('up{job="countersign"} == 1')) == len(self.SERVICES)
        except requests.ConnectionError:
            return False

    def query(self, expression: str) -> list[dict]:
        reply = requests.get(self.prometheus + "/api/v1/query", params={"query": expression}, timeout=10).json()
        assert reply["status"] == "success", (expression, reply)
        return reply["data"]["result"]

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict]:
        parameters = {"query": expression, "start": start, "end": end, "step": step}
        reply = requests.get(self.prometheus + "/api/v1/query_range", params=parameters, timeout=30).json()
        assert reply["status"] == "success", (expression, reply)
        return reply["data"]["result"]

    def stop(self, *arguments) -> int:
        if self.prometheus_process is not None:
            self.prometheus_process.terminate()
            self.prometheus_process.wait(timeout=30)
            self.prometheus_log.close()
        status = super().stop(*arguments)
        self.collector.stop()
        return status
