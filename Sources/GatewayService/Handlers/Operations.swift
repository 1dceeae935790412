import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Synchronization
import Wire

/// Is the process up, can it serve, how is it doing.
struct Operations: Sendable {
    let reach: ServiceReach
    let exposition: @Sendable () -> String

    /// `GET /readyz`.
    private struct Readiness: Encodable {
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

    func health(_ inbound: Inbound) async throws -> Reply { try .json(.ok, Health()) }

    func readiness(_ inbound: Inbound) async throws -> Reply {
        func word(_ service: ServiceName) -> String { reach.isReachable(service) ? "reachable" : "unreachable" }
        // Without notifier phones ask for themselves, so sign-in works.
        let isReady = reach.isServing && ServiceReach.needed.allSatisfy { reach.isReachable($0) }
        let body = Readiness(
            status: isReady ? "ready" : "notReady",
            services: .init(
                policy: word(.policy), registration: word(.registration), challenge: word(.challenge),
                verifier: word(.verifier),
                notifier: word(.notifier)))
        return try .json(isReady ? .ok : .serviceUnavailable, body, headers: isReady ? [:] : [.retryAfter: "1"])
    }

    func metrics(_ inbound: Inbound) async throws -> Reply {
        .document(Array(exposition().utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}

/// Which services have an instance that is ready now.
final class ServiceReach: Sendable {
    static let needed: [ServiceName] = [.policy, .registration, .challenge, .verifier]

    private let reachable = Mutex<Set<ServiceName>>([])
    private let serving = Mutex(true)
    private let caller: any ServiceCaller

    init(caller: any ServiceCaller) { self.caller = caller }

    func isReachable(_ service: ServiceName) -> Bool { reachable.withLock { $0.contains(service) } }
    var isServing: Bool { serving.withLock { $0 } }
    func drain() { serving.withLock { $0 = false } }

    /// Follows the instances until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for service in Self.needed + [.notifier] {
                group.addTask {
                    for await instances in self.caller.instances(of: service) {
                        self.reachable.withLock { set in
                            if instances.isEmpty { set.remove(service) } else { set.insert(service) }
                        }
                    }
                }
            }
        }
    }
}
