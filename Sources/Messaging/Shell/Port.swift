import Wire

/// One socket with its place in the poller. Lives on the reactor thread.
final class Port {
    enum Role {
        case callee(CalleeLink)
        case monitor(CalleeLink)
        case router
        case routerMonitor
        case zap
    }

    let token: UInt64
    let role: Role
    let descriptor: Int32
    /// Must be received from before the thread may wait: something was sent, or it became readable.
    var isDirty = false
    var socket: Socket?

    init(token: UInt64, role: Role, socket: consuming Socket) {
        self.token = token
        self.role = role
        descriptor = socket.fileDescriptor()
        self.socket = consume socket
    }

    func receive(_ message: inout Message) -> SocketResult { socket?.receive(&message) ?? .again }

    func send(_ message: inout Message, more: Bool = false) -> SocketResult {
        socket?.send(&message, more: more) ?? .unreachable
    }
}

/// One end point of one callee: the rules of its connection, and the socket of its present epoch.
final class CalleeLink {
    let endpoint: Endpoint
    unowned let group: CalleeGroup
    var machine: PeerMachine
    /// A new one for every epoch.
    var peer = PeerID(rawValue: 0)
    var port: Port?
    var monitor: Port?
    /// The key that the callee of the present epoch has proved.
    var serverKey: String?
    /// Which of the service's trusted keys to expect next, while keys are being exchanged.
    var keyTurn = 0
    /// When a key was refused first, since when none was accepted.
    var deniedSince: ContinuousClock.Instant?
    /// Its address is no longer the service's: ends when nothing is outstanding.
    var isRetiring = false
    /// Frames that found no room in the socket, in order.
    var outbound = OutboundLine()

    init(endpoint: Endpoint, group: CalleeGroup, machine: PeerMachine) {
        self.endpoint = endpoint
        self.group = group
        self.machine = machine
    }
}

/// One service that this process asks: its calls, its end points, and who watches its instances.
final class CalleeGroup {
    let service: ServiceName
    var machine: CallerMachine
    var links: [Endpoint: CalleeLink] = [:]
    var linkByPeer: [PeerID: CalleeLink] = [:]
    /// By the slab index of the call's key.
    var pending: [PendingCall?] = []
    /// The machine's effects are being carried out; what they bring about follows in order.
    var isCarryingOut = false
    var watchers: [UInt64: AsyncStream<Set<InstanceID>>.Continuation] = [:]

    init(service: ServiceName, limits: BusLimits) {
        self.service = service
        machine = CallerMachine(service: service, limits: limits)
    }

    func place(_ call: PendingCall, _ key: SlabKey) {
        while pending.count <= key.index { pending.append(nil) }
        pending[Int(key.index)] = call
        call.key = key
    }

    func take(_ key: SlabKey) -> PendingCall? {
        guard key.index < pending.count else { return nil }
        defer { pending[Int(key.index)] = nil }
        return pending[Int(key.index)]
    }
}
