import CZeroMQ
import Logging
import Wire

/// Carries out what the machines decide: every socket and every timer of the process, on the one thread that runs `run`.
///
/// Not Sendable: it is made on that thread and never leaves it.
final class Engine {
    typealias Instant = ContinuousClock.Instant

    let configuration: BusConfiguration
    let handlers: [UInt16: (method: Method, handle: Routes.Handler)]
    let logger: Logger
    let metrics: @Sendable (BusEvent) -> Void
    let reactor: Reactor
    let context = Context()
    var limits: BusLimits { configuration.limits }

    private var poller = Poller()
    private var ports: [UInt64: Port] = [:]
    private var dirty: [Port] = []
    private var nextToken: UInt64 = 1
    private var commands: [Reactor.Command] = []
    private var isOver = false

    var now = ContinuousClock.now
    var random = SystemRandomNumberGenerator()
    var trusted = TrustedKeys()

    // Asking
    var groups: [ServiceName: CalleeGroup] = [:]
    var nextPeer: UInt64 = 1
    /// Woken together at the end of a turn.
    var answers: [(PendingCall, PendingCall.Answer)] = []

    // Answering
    var worker: WorkerMachine?
    var router: Port?
    var tasks: [Task<Void, Never>?] = []
    var sessionKeys: [SessionID: String] = [:]
    /// When every process has read that this service has one key again; nil before its first exchange.
    var exchangeSettlesAt: Instant?
    var outbound: OutboundLines
    /// When lines that found no room are looked at again.
    var flushAt: Instant?
    /// When the metrics hear next what is under way; nil before the start.
    private var figuresAt: Instant?
    var closesAt: Instant?

    init(
        _ configuration: BusConfiguration, routes: Routes?, logger: Logger,
        metrics: @escaping @Sendable (BusEvent) -> Void,
        reactor: Reactor
    ) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        self.reactor = reactor
        handlers = routes?.handlers ?? [:]
        outbound = OutboundLines(limits: configuration.limits)
        if routes != nil, !configuration.bind.isEmpty {
            worker = WorkerMachine(
                methods: handlers.mapValues(\.method), limits: configuration.limits, now: now, isOpen: false)
        }
        for service in configuration.callees.keys {
            groups[service] = CalleeGroup(service: service, limits: configuration.limits)
        }
    }

    /// Lives until drained or abandoned.
    func run() {
        reactor.watch(with: poller, token: 0)
        while !isOver {
            now = ContinuousClock.now
            runCommands()
            runTimers()
            serviceDirty()
            wakeAnswered()
            if let closesAt, hasBeenHeard || closesAt <= now { isOver = true }
            if !isOver { wait() }
        }
        shutDown()
    }

    /// Waits until a socket, the mailbox or a timer has something; not at all while a socket has to be looked at again.
    private func wait() {
        var milliseconds: Int32 = 0
        if dirty.isEmpty {
            milliseconds = nextTick().map { Int32(clamping: (now.duration(to: $0).microseconds + 999) / 1_000) } ?? -1
        }
        poller.wait(milliseconds: milliseconds) { token in
            if token == 0 { reactor.clearWake() } else if let port = ports[token] { markDirty(port) }
        }
    }

    // MARK: sockets

    /// Registers a socket; it is looked at once before the first wait.
    func addPort(_ role: Port.Role, _ socket: consuming Socket) -> Port {
        let port = Port(token: nextToken, role: role, socket: socket)
        nextToken += 1
        ports[port.token] = port
        poller.add(port.descriptor, token: port.token)
        markDirty(port)
        return port
    }

    func closePort(_ port: Port) {
        guard ports.removeValue(forKey: port.token) != nil else { return }
        poller.remove(port.descriptor)
        port.socket = nil
    }

    func markDirty(_ port: Port) {
        guard !port.isDirty else { return }
        port.isDirty = true
        dirty.append(port)
    }

    /// Sends on any socket go through here: what was sent to must be received from before the next wait, because libzmq's
    /// descriptor may have lost its edge meanwhile.
    func send(_ message: inout Message, on port: Port, more: Bool = false) -> SocketResult {
        defer { markDirty(port) }
        return port.send(&message, more: more)
    }

    /// Messages that one socket may hand in before the others have their turn.
    private static let budget = 64

    private func serviceDirty() {
        let turn = dirty
        dirty.removeAll(keepingCapacity: true)
        var message = Message()
        for port in turn {
            port.isDirty = false
            flush(port)
            var count = 0
            while count < Self.budget, port.socket != nil, port.receive(&message) == .done {
                count += 1
                receive(&message, port)
            }
            if count == Self.budget { markDirty(port) }
        }
    }

    private func flush(_ port: Port) {
        switch port.role {
        case .callee(let link): flushOutbound(link)
        case .router: flushOutbound()
        case .monitor, .routerMonitor, .zap: break
        }
    }

    private func receive(_ message: inout Message, _ port: Port) {
        switch port.role {
        case .callee(let link): receiveFromCallee(&message, link)
        case .monitor(let link): receiveEvent(&message, port, link)
        case .router: receiveFromCaller(&message, port)
        case .routerMonitor: receiveRouterEvent(&message, port)
        case .zap: answerZAP(&message, port)
        }
    }

    // MARK: commands and time

    private func runCommands() {
        reactor.take(into: &commands)
        for command in commands { run(command) }
        commands.removeAll(keepingCapacity: true)
    }

    private func run(_ command: Reactor.Command) {
        switch command {
        case .call(let call): begin(call)
        case .cancel(let call): cancel(call)
        case .finished(let key, let result): finished(key, result)
        case .start(let continuation):
            figuresAt = now
            continuation.resume(returning: bind())
        case .open:
            worker?.open()
            carryOutWorker()
        case .addresses(let service, let endpoints): setEndpoints(service, endpoints)
        case .trust(let keys): trust(keys)
        case .watch(let id, let service, let continuation): watch(id, service, continuation)
        case .unwatch(let id, let service): groups[service]?.watchers[id] = nil
        case .drain: beginDrain()
        case .abandon: isOver = true
        }
    }

    private func nextTick() -> Instant? {
        var next = worker?.nextTick
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = next.map { min($0, instant) } ?? instant
        }
        for group in groups.values {
            consider(group.machine.nextTick)
            for link in group.links.values { consider(link.machine.nextTick) }
        }
        consider(closesAt)
        consider(flushAt)
        consider(figuresAt)
        return next
    }

    private func runTimers() {
        if let flushAt, flushAt <= now { markFull() }
        if let figuresAt, figuresAt <= now { tellFigures() }
        for group in groups.values {
            if let due = group.machine.nextTick, due <= now {
                group.machine.advance(to: now, using: &random)
                carryOut(group)
            }
            for link in group.links.values { tick(link) }
        }
        if let due = worker?.nextTick, due <= now {
            worker?.advance(to: now)
            carryOutWorker()
            forgetSessions()
        }
    }

    private func tellFigures() {
        figuresAt = now + limits.figuresInterval
        var figures = BusFigures()
        figures.outboundBytes = outbound.bytes
        for group in groups.values {
            figures.calls[group.service] = group.machine.figures
            for link in group.links.values { figures.outboundBytes += link.outbound.bytes }
        }
        if let worker {
            (figures.running, figures.parked) = (worker.runningCount, worker.parkedCount)
            figures.callers = worker.sessionCount
        }
        metrics(.figures(figures))
    }

    /// Looks at the sockets whose lines are full in this turn.
    private func markFull() {
        flushAt = nil
        if let router, !outbound.isEmpty { markDirty(router) }
        for group in groups.values {
            for link in group.links.values where !link.outbound.isEmpty {
                if let port = link.port { markDirty(port) }
            }
        }
    }

    private func wakeAnswered() {
        guard !answers.isEmpty else { return }
        let batch = answers
        answers.removeAll(keepingCapacity: true)
        for (call, answer) in batch { call.finish(answer) }
    }

    // MARK: the end

    private func beginDrain() {
        guard closesAt == nil else { return }
        guard worker != nil else {
            close()
            return
        }
        worker?.drain(at: now)
        carryOutWorker()
    }

    /// Everything that ran has been answered: leave as soon as the answers have been taken, or after a moment.
    func close() {
        guard closesAt == nil else { return }
        closesAt = now + limits.farewellMax
        for group in groups.values {
            for link in group.links.values where link.machine.isConnected { sendControl(.disconnect, link) }
            for link in group.links.values { link.port?.socket?.set(ZMQ_LINGER, 200) }
        }
        router?.socket?.set(ZMQ_LINGER, 1_000)
    }

    /// Whether nobody can still be waiting for what was sent. A caller that has its last answer says DISCONNECT; leaving earlier could
    /// take that answer from it, because libzmq drops what it has received and not handed over when it learns that the
    /// connection ended.
    private var hasBeenHeard: Bool { outbound.isEmpty && worker?.sessionCount ?? 0 == 0 }

    private func shutDown() {
        for command in reactor.close() { refuse(command) }
        for group in groups.values {
            for case let call? in group.pending {
                let isUnknown = call.key.map(group.machine.wasSent) ?? false
                call.finish(.failure(isUnknown ? Self.stoppedUnknown : Self.stopped))
            }
            for continuation in group.watchers.values { continuation.finish() }
        }
        wakeAnswered()
        for task in tasks { task?.cancel() }
        router?.socket?.stopMonitor()
        for group in groups.values {
            for link in group.links.values { link.port?.socket?.stopMonitor() }
        }
        for port in ports.values { closePort(port) }
        context.terminate()
    }

    private func refuse(_ command: Reactor.Command) {
        switch command {
        case .call(let call): call.finish(.failure(Self.stopped))
        case .start(let continuation): continuation.resume(returning: .failure(.stopped))
        case .watch(_, _, let continuation): continuation.finish()
        case .cancel, .finished, .open, .addresses, .trust, .unwatch, .drain, .abandon: break
        }
    }

    static let stopped = ServiceError(.unavailable, "this process is stopping")
    /// For what was sent and not answered.
    private static let stoppedUnknown = ServiceError(
        .unavailable, "this process is stopping", members: ["outcome": "unknown"])
}
