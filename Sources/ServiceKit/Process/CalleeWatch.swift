import Messaging
import ServiceLifecycle
import Synchronization
package import Wire

/// Which of the services that this process asks have an instance that is ready, for `/readyz`.
final class CalleeWatch: Service {
    private let caller: any ServiceCaller
    private let service: ServiceName
    private let callees: [ServiceName]
    private let ready = Mutex<Set<ServiceName>>([])

    init(caller: any ServiceCaller, of service: ServiceName, callees: [ServiceName]) {
        self.caller = caller
        self.service = service
        self.callees = callees
    }

    var dependencies: [Dependency] {
        callees.map { callee in
            Dependency(callee.dependencyName, isNeeded: callee.isNeeded(by: service)) { [self] in
                ready.withLock { $0.contains(callee) }
            }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { [self] group in
                for callee in callees {
                    group.addTask { await self.watch(callee) }
                }
            }
            // A drained bus ends what is watched before it is this service's turn to end.
            try? await gracefulShutdown()
        }
    }

    private func watch(_ callee: ServiceName) async {
        for await instances in caller.instances(of: callee) {
            ready.withLock { ready in
                if instances.isEmpty { ready.remove(callee) } else { ready.insert(callee) }
            }
        }
    }
}

extension ServiceName {
    /// What `/readyz` calls it in a process that asks it.
    package var dependencyName: String { "bus.\(rawValue)" }

    /// Without notifier phones ask for themselves, and notifier only has addresses tidied by registration: all else goes on.
    func isNeeded(by caller: ServiceName) -> Bool {
        self != .notifier && (caller, self) != (.notifier, .registration)
    }

    /// The services that this one asks, by the table of messages.
    var callees: [ServiceName] {
        ServiceName.allCases.filter { callee in
            Method.all.contains { $0.service == callee && $0.callers.contains(self) }
        }
    }
}
