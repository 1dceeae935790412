import Telemetry

/// What the verifier counts. Labels come from closed sets.
struct VerifierMetrics: Sendable {
    let proofs: Counter
    let answers: Counter
    let codes: Counter
    let keys: Counter

    init(_ registry: MetricsRegistry) {
        proofs = registry.counter(
            "countersign_device_proofs_total", help: "Signed device requests, by outcome.", labels: ["outcome"])
        answers = registry.counter(
            "countersign_answers_total", help: "Signed answers, by outcome.", labels: ["outcome"])
        codes = registry.counter("countersign_codes_total", help: "Offline codes, by outcome.", labels: ["outcome"])
        keys = registry.counter(
            "countersign_device_keys_total", help: "Device key look-ups, by where the key came from.",
            labels: ["source"])
    }
}
