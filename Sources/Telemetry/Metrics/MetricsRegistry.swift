import Synchronization

/// Every metric of a process, made once at start and written as Prometheus text (exposition format 0.0.4).
///
/// Names follow Prometheus: base units (`_seconds`, `_bytes`), counters end with `_total`. Labels are declared with the metric and
/// their values come from closed sets, never from what a peer sent. Asking again for a metric with the same declaration gives the
/// same metric; another declaration of the name is a programmer's error.
package final class MetricsRegistry: Sendable {
    private let families = Mutex<[String: MetricFamily]>([:])

    package init() {}

    /// A count that only grows.
    package func counter(_ name: String, help: String, labels: [String] = []) -> Counter {
        precondition(name.hasSuffix("_total"), "a counter's name ends with _total: \(name)")
        return Counter(samples: samples(MetricDeclaration(name: name, help: help, kind: .counter, labels: labels)))
    }

    /// A value that rises and falls.
    package func gauge(_ name: String, help: String, labels: [String] = []) -> Gauge {
        Gauge(samples: samples(MetricDeclaration(name: name, help: help, kind: .gauge, labels: labels)))
    }

    /// A value that is read when somebody looks.
    package func gauge(_ name: String, help: String, read: @escaping @Sendable () -> Double) {
        add(MetricDeclaration(name: name, help: help, kind: .gauge, labels: []), .callback(read))
    }

    /// A count that the system keeps, read when somebody looks.
    package func counter(_ name: String, help: String, read: @escaping @Sendable () -> Double) {
        precondition(name.hasSuffix("_total"), "a counter's name ends with _total: \(name)")
        add(MetricDeclaration(name: name, help: help, kind: .counter, labels: []), .callback(read))
    }

    /// A distribution over fixed buckets; `buckets` are their upper bounds, rising, without infinity.
    package func histogram(
        _ name: String, help: String, labels: [String] = [], buckets: [Double] = Histogram.latencyBuckets
    ) -> Histogram {
        precondition(
            zip(buckets, buckets.dropFirst()).allSatisfy(<) && buckets.allSatisfy(\.isFinite), "buckets rise: \(name)")
        let declaration = MetricDeclaration(name: name, help: help, kind: .histogram, labels: labels)
        let family = add(declaration, .distribution(DistributionSamples(bounds: buckets, labels: labels.count)))
        guard case .distribution(let samples) = family.source else { preconditionFailure("\(name) is declared twice") }
        return Histogram(samples: samples)
    }

    /// All metrics as text, in the order of their names.
    package func exposition() -> String {
        let families = families.withLock { $0.values.sorted { $0.declaration.name < $1.declaration.name } }
        var text = ExpositionText()
        for family in families { family.write(to: &text) }
        return text.text
    }

    private func samples(_ declaration: MetricDeclaration) -> ValueSamples {
        let family = add(declaration, .values(ValueSamples(labels: declaration.labels.count)))
        guard case .values(let samples) = family.source else {
            preconditionFailure("\(declaration.name) is declared twice")
        }
        return samples
    }

    @discardableResult
    private func add(_ declaration: MetricDeclaration, _ source: MetricFamily.Source) -> MetricFamily {
        declaration.check()
        return families.withLock { families in
            if let family = families[declaration.name] {
                precondition(
                    family.declaration == declaration, "\(declaration.name) is declared twice, and differently")
                return family
            }
            let family = MetricFamily(declaration: declaration, source: source)
            families[declaration.name] = family
            return family
        }
    }
}

/// Name, help, kind and labels of one metric.
struct MetricDeclaration: Sendable, Equatable {
    enum Kind: String { case counter, gauge, histogram }

    let name: String
    let help: String
    let kind: Kind
    let labels: [String]

    func check() {
        precondition(Self.isName(name), "not a metric's name: \(name)")
        precondition(Set(labels).count == labels.count, "a label twice: \(name)")
        for label in labels {
            let isReserved = label.hasPrefix("__") || label == "le" || label == "quantile"
            precondition(Self.isName(label) && !label.contains(":") && !isReserved, "not a label's name: \(label)")
        }
    }

    private static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, !(0x30...0x39).contains(first) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x3A: true
            default: false
            }
        }
    }
}

/// A declared metric and where its samples come from.
struct MetricFamily: Sendable {
    enum Source: Sendable {
        case values(ValueSamples)
        case distribution(DistributionSamples)
        case callback(@Sendable () -> Double)
    }

    let declaration: MetricDeclaration
    let source: Source

    func write(to text: inout ExpositionText) {
        text.head(declaration)
        switch source {
        case .callback(let read): text.sample(declaration.name, [], read())
        case .values(let samples):
            for (labels, value) in samples.all {
                text.sample(declaration.name, Array(zip(declaration.labels, labels)), value)
            }
        case .distribution(let samples):
            for (labels, distribution) in samples.all {
                text.distribution(
                    declaration.name, Array(zip(declaration.labels, labels)), samples.bounds, distribution)
            }
        }
    }
}
