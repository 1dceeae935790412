import Domain
import ServiceKit

/// The push services that are in use: each with its connection to an address that was checked, and its circuit breaker.
///
/// The name is looked up here, its addresses are checked, and the connection is made to one of those very addresses: a name that answers with
/// another address a moment later (DNS rebinding) leads nowhere. An address at which nothing answers is left for the next one.
actor WebPushServices {
    /// Kept open at the same time; the one that was used longest ago makes room.
    static let servicesMax = 64
    /// How long an address is used before the name is looked up again.
    static let addressLifetime = Duration.seconds(300)
    /// Of one service, tried for one wake-up.
    static let addressesMax = 4

    struct Service: Sendable {
        let connection: ProviderConnection
        let gate: ProviderGate
        fileprivate let address: String
        /// Of its name, those that may be connected to.
        fileprivate var addresses: [String]
        /// Among them, at which nothing answered since the name was looked up.
        fileprivate var left: Set<String> = []
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
        let found = literal ? [origin.host.trimmingBrackets] : await addresses(of: origin)
        // Another caller may have been here while the name was looked up.
        guard !isShutDown else { throw .isShutDown }
        let known = services[origin]
        // Names are not to be had for a moment: the address was checked.
        if let known, found.isEmpty { return known }
        let allowed = targets.addresses(among: found)
        guard let address = allowed.first else { throw .noAddress }
        if var known, allowed.contains(known.address) {
            known.addresses = allowed
            known.left = []
            known.lookedUpAt = time
            known.usedAt = time
            services[origin] = known
            return known
        }
        let service = Service(
            connection: ProviderConnection(provider, pinned: literal ? [:] : [origin.host: address]),
            gate: known?.gate ?? ProviderGate(.webpush, provider), address: address, addresses: allowed,
            lookedUpAt: time, usedAt: time)
        services[origin] = service
        if let known { await known.connection.shutdown() }
        await makeRoom()
        return service
    }

    /// Nothing answers at the service's address: the next one of its name takes its place. False when all have been tried, which may be
    /// tried again.
    func leave(_ service: Service, of origin: WebPushOrigin) async -> Bool {
        guard let known = services[origin] else { return false }
        // Another caller has left it before.
        guard known.connection === service.connection else { return true }
        let left = known.left.union([known.address])
        guard let next = known.addresses.first(where: { !left.contains($0) }) else {
            services[origin]?.left = []
            return false
        }
        services[origin] = Service(
            connection: ProviderConnection(provider, pinned: [origin.host: next]), gate: known.gate, address: next,
            addresses: known.addresses, left: left, lookedUpAt: known.lookedUpAt, usedAt: known.usedAt)
        await known.connection.shutdown()
        return true
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
