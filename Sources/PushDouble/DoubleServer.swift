import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// Serves one double on loopback, over TLS and HTTP/2 alone.
package final class DoubleServer: Sendable {
    /// Below what systems give to outgoing connections, so that nothing takes the port meanwhile.
    private static let freePorts = 20_000..<32_000
    private static let bindTriesMax = 50

    private struct Counts {
        var faults: [Fault] = []
        var regular: (fault: Fault, every: Int)?
        var throttle: Throttle?
        var connections = 0
        /// By their numbers, those that say nothing any more.
        var silent: Set<Int> = []
        var requests: [DoubleRequest] = []
        var answered = 0
        var taken = 0
    }

    private let double: any ProviderDouble
    private let counts = Mutex(Counts())
    private let keptMax: Int
    private let streamsMax: Int
    private let now: @Sendable () -> Int64
    private let listener = Mutex<(any Channel)?>(nil)
    /// By their numbers.
    private let children = Mutex<[Int: any Channel]>([:])

    /// `requestsKept` are kept for a test to look at, the first ones. `streamsMax` is SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section
    /// 6.5.2), what a connection takes at the same time. `now` is seconds since 1970.
    package init(
        _ double: any ProviderDouble, requestsKept: Int = 1000, streamsMax: Int = 100,
        now: @escaping @Sendable () -> Int64
    ) {
        self.double = double
        keptMax = requestsKept
        self.streamsMax = streamsMax
        self.now = now
    }

    package var connections: Int { counts.withLock(\.connections) }
    package var requests: [DoubleRequest] { counts.withLock(\.requests) }
    package var answered: Int { counts.withLock(\.answered) }

    /// The next requests fail, one each, in this order.
    package func fail(_ faults: Fault...) { counts.withLock { $0.faults += faults } }

    /// Of every `number` requests one fails so, for good.
    package func fail(_ fault: Fault, every number: Int) {
        precondition(number > 0, "one of none cannot fail")
        counts.withLock { $0.regular = (fault, number) }
    }

    /// More than so many requests in a second are answered with 429 and `Retry-After`; nil ends that.
    package func limit(to requestsPerSecond: Int?) {
        counts.withLock { $0.throttle = requestsPerSecond.map { Throttle(requestsPerSecond: $0) } }
    }

    /// Listens on a port of 127.0.0.1, a free one when none is given, and says which. Throws what the system says of the port.
    package func start(port: Int? = nil, certificate: DoubleCertificate) async throws -> Int {
        let context = try NIOSSLContext(configuration: certificate.serverConfiguration())
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { self.prepare($0, context) }
        for _ in 1..<Self.bindTriesMax {
            let next = port ?? Int.random(in: Self.freePorts)
            do {
                let channel = try await bootstrap.bind(host: "127.0.0.1", port: next).get()
                listener.withLock { $0 = channel }
                return next
            } catch let error as IOError where error.errnoCode == EADDRINUSE && port == nil {
                continue
            }
        }
        throw IOError(errnoCode: EADDRINUSE, reason: "no free port")
    }

    /// Closes the port and every connection.
    package func stop() async {
        let open = listener.withLock { $0.take() }.map { [$0] } ?? []
        for channel in open + children.withLock({ Array($0.values) }) {
            // What is closed already is as it should be. One that is silent must read that the other side has closed it.
            try? await channel.setOption(.autoRead, value: true).get()
            try? await channel.close()
        }
    }

    private func prepare(_ channel: any Channel, _ context: NIOSSLContext) -> EventLoopFuture<Void> {
        let number = counts.withLock { counts in
            counts.connections += 1
            return counts.connections
        }
        children.withLock { $0[number] = channel }
        channel.closeFuture.whenComplete { _ in
            self.children.withLock { _ = $0.removeValue(forKey: number) }
            self.double.ended(connection: number)
        }
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = nioDefaultSettings.filter { $0.parameter != .maxConcurrentStreams }
        configuration.initialSettings.append(HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsMax))
        return channel.eventLoop.makeCompletedFuture { [configuration] in
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                mode: .server, connectionConfiguration: configuration, streamConfiguration: .init()
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(
                        DoubleStream(self, connection: channel, number: number))
                }
            }
        }
    }

    /// The request's fault, if it has one.
    fileprivate func take(_ request: DoubleRequest) -> Fault? {
        let time = now()
        return counts.withLock { counts in
            // What it had read before.
            if counts.silent.contains(request.connection) { return .delay(milliseconds: nil) }
            if counts.requests.count < keptMax { counts.requests.append(request) }
            counts.taken += 1
            if !counts.faults.isEmpty { return counts.faults.removeFirst() }
            if counts.throttle?.admits(at: time) == false { return .refuse(double.throttled(retryAfter: 1)) }
            guard let regular = counts.regular, counts.taken.isMultiple(of: regular.every) else { return nil }
            return regular.fault
        }
    }

    fileprivate func silence(_ connection: any Channel, _ number: Int) {
        counts.withLock { _ = $0.silent.insert(number) }
        connection.setOption(.autoRead, value: false).whenFailure { _ in connection.close(promise: nil) }
    }

    fileprivate func isSilent(_ number: Int) -> Bool { counts.withLock { $0.silent.contains(number) } }

    fileprivate func reply(to request: DoubleRequest) -> DoubleReply {
        let reply = double.reply(to: request)
        counts.withLock { $0.answered += 1 }
        return reply
    }
}

/// One request on its stream.
private final class DoubleStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// No provider takes more.
    private static let bodyBytesMax = 1024 * 1024

    private let server: DoubleServer
    private let connection: any Channel
    private let number: Int
    private var headers: HPACKHeaders?
    private var body: [UInt8] = []

    init(_ server: DoubleServer, connection: any Channel, number: Int) {
        self.server = server
        self.connection = connection
        self.number = number
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let part):
            // What follows the body is no header of the request.
            if headers == nil { headers = part.headers }
            if part.endStream { respond(context) }
        case .data(let part):
            if case .byteBuffer(let bytes) = part.data { body += bytes.readableBytesView }
            guard body.count <= Self.bodyBytesMax else { return context.close(promise: nil) }
            if part.endStream { respond(context) }
        default: break
        }
    }

    private func respond(_ context: ChannelHandlerContext) {
        guard let headers, let method = headers.first(name: ":method"), let path = headers.first(name: ":path") else {
            return context.close(promise: nil)
        }
        let request = DoubleRequest(
            connection: number, method: method, path: path,
            headers: headers.filter { !$0.name.hasPrefix(":") }.map { (name: $0.name, value: $0.value) }, body: body)
        switch server.take(request) {
        case nil: write(server.reply(to: request), context)
        case .refuse(let reply): write(reply, context)
        case .reset: context.close(promise: nil)
        case .close: connection.close(promise: nil)
        case .goAway(let reason):
            goAway(after: .rootStream, saying: #"{"reason":"\#(reason)"}"#)
            connection.close(promise: nil)
        case .drain:
            let last = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
            goAway(after: last ?? .maxID)
            write(server.reply(to: request), context)
        case .silence: server.silence(connection, number)
        case .delay(nil): break
        case .delay(let milliseconds?):
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            let this = NIOLoopBound(self, eventLoop: context.value.eventLoop)
            context.value.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
                this.value.write(this.value.server.reply(to: request), context.value)
            }
        }
    }

    private func goAway(after last: HTTP2StreamID, saying text: String? = nil) {
        let data = text.map { connection.allocator.buffer(string: $0) }
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: last, errorCode: .noError, opaqueData: data))
        connection.writeAndFlush(frame, promise: nil)
    }

    private func write(_ reply: DoubleReply, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, !server.isSilent(number) else { return }
        var headers: HPACKHeaders = [":status": "\(reply.status)"]
        for (name, value) in reply.headers { headers.add(name: name, value: value) }
        headers.add(name: "content-length", value: "\(reply.body.utf8.count)")
        context.write(
            wrapOutboundOut(.headers(.init(headers: headers, endStream: reply.body.isEmpty))), promise: nil)
        if !reply.body.isEmpty {
            let body = HTTP2Frame.FramePayload.Data(
                data: .byteBuffer(ByteBuffer(string: reply.body)), endStream: true)
            context.write(wrapOutboundOut(.data(body)), promise: nil)
        }
        context.flush()
    }
}
