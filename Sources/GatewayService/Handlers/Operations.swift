import DeviceAPI
import Domain
import HTTPTypes
import ServiceKit
import Wire

/// Is the process up, can it serve, how is it doing.
struct Operations: Sendable {
    let readiness: Readiness
    /// Whether a load generator may push at this gateway: it asks before it starts.
    let allowsLoadTests: Bool
    /// Nil where only operators may read it.
    let exposition: (@Sendable () -> String)?

    /// `GET /readyz`.
    private struct ReadinessBody: Encodable {
        struct Services: Encodable {
            let policy: String
            let registration: String
            let challenge: String
            let verifier: String
            let notifier: String
        }
        let status: String
        let services: Services
    }

    private struct Health: Encodable { let status = "up" }

    func health(_ inbound: Inbound) async throws -> Reply {
        try .json(.ok, Health(), headers: allowsLoadTests ? [.loadTest: APIHeaders.loadTestAllowed] : [:])
    }

    func readiness(_ inbound: Inbound) async throws -> Reply {
        let report = await readiness.report()
        func word(_ service: ServiceName) -> String {
            report.isReady(service.dependencyName) ? "reachable" : "unreachable"
        }
        let body = ReadinessBody(
            status: report.isReady ? "ready" : "notReady",
            services: .init(
                policy: word(.policy), registration: word(.registration), challenge: word(.challenge),
                verifier: word(.verifier), notifier: word(.notifier)))
        return try .json(
            report.isReady ? .ok : .serviceUnavailable, body, headers: report.isReady ? [:] : [.retryAfter: "1"])
    }

    func metrics(_ inbound: Inbound) async throws -> Reply {
        guard let exposition else { throw ServiceError(.notFound, "there is nothing here") }
        return .document(Array(exposition().utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}
