import Domain
import ServiceKit

/// The push services that are in use: each with its connection to an address that was checked, and its circuit breaker.
///
/// The name is looked up here, the address is checked, and the connection is made to that very address: a name that answers with
/// another address a moment later (DNS rebinding) leads nowhere.
actor WebPushServices {
    /// Kept open at the same time; the one that was used longest ago makes room.
    static let servicesMax = 64
    /// How long an address is used before the name is looked up again.
    static let addressLifetime = Duration.seconds(300)

    struct Service: Sendable {
        let connection: ProviderConnection
        let gate: ProviderGate
        fileprivate let address: String
        fileprivate var lookedUpAt: Timestamp
        fileprivate var usedAt: Timestamp
    }

    enum Problem: Error, Hashable, Sendable {
        /// The name has no address, or none that may be connected to.
        case noAddress
        case isShutDown
    }

    private let targets: WebPushTargets
    private let provider: ProviderSettings
    private let lookUp: @Sendable (String) async -> [String]
    private var services: [WebPushOrigin: Service] = [:]
    private var lookUps: [WebPushOrigin: Task<[String], Never>] = [:]
    private var isShutDown = false

    init(
        _ targets: WebPushTargets, _ provider: ProviderSettings, lookUp: @escaping @Sendable (String) async -> [String]
    ) {
        self.targets = targets
        self.provider = provider
        self.lookUp = lookUp
    }

    func service(for origin: WebPushOrigin) async throws(Problem) -> Service {
        // No connection is opened that nobody would end.
        guard !isShutDown else { throw .isShutDown }
        let time = provider.now()
        if var known = services[origin], time - known.lookedUpAt < Self.addressLifetime {
            known.usedAt = time
            services[origin] = known
            return known
        }
        // A literal in brackets is its own answer, and is checked like any other.
        let literal = AddressBlock.bytes(of: origin.host.trimmingBrackets) != nil
        let addresses = literal ? [origin.host.trimmingBrackets] : await addresses(of: origin)
        // Another caller may have been here while the name was looked up.
        guard !isShutDown else { throw .isShutDown }
        let known = services[origin]
        // Names are not to be had for a moment: the address was checked.
        if let known, addresses.isEmpty { return known }
        guard let address = targets.address(among: addresses) else { throw .noAddress }
        if var known, addresses.contains(known.address) {
            known.lookedUpAt = time
            known.usedAt = time
            services[origin] = known
            return known
        }
        let service = Service(
            connection: ProviderConnection(provider, pinned: literal ? [:] : [origin.host: address]),
            gate: known?.gate ?? ProviderGate(.webpush, provider), address: address, lookedUpAt: time, usedAt: time)
        services[origin] = service
        if let known { await known.connection.shutdown() }
        await makeRoom()
        return service
    }

    /// By one look-up for all who ask meanwhile.
    private func addresses(of origin: WebPushOrigin) async -> [String] {
        if let underWay = lookUps[origin] { return await underWay.value }
        // Unstructured, because whoever began it may be given up before the others.
        let lookUp = Task { [lookUp] in await lookUp(origin.host) }
        lookUps[origin] = lookUp
        defer { lookUps[origin] = nil }
        return await lookUp.value
    }

    private func makeRoom() async {
        while services.count > Self.servicesMax, let oldest = services.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            services[oldest.key] = nil
            await oldest.value.connection.shutdown()
        }
    }

    func shutdown() async {
        isShutDown = true
        let all = services.values
        services = [:]
        for service in all { await service.connection.shutdown() }
    }
}

extension String {
    fileprivate var trimmingBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
    }
}
