/// Every bound and interval of the bus, with its default.
package struct BusLimits: Sendable {
    // The caller's side

    /// Calls of this process that are unanswered, to all services together.
    package var callsMax = 65_536
    /// Ordinary calls to one service that wait for a callee with credit.
    package var queuedCallsMax = 16_384
    /// Attempts after the first whose fate is unknown.
    package var retriesMax = 2
    /// Times that a call may be refused unexecuted and try again.
    package var refusalsMax = 16
    /// How long a callee that answered BUSY gets nothing new.
    package var busyPause: Duration = .milliseconds(20)
    /// The first and the longest pause before a lost callee is tried again.
    package var backOff: ClosedRange<Duration> = .milliseconds(50) ... .seconds(2)
    /// The same after the callee refused our key.
    package var deniedBackOff: ClosedRange<Duration> = .seconds(1) ... .seconds(30)
    package var connectTimeout: Duration = .seconds(2)
    package var handshakeTimeout: Duration = .seconds(3)
    /// From an established connection to the callee's READY.
    package var readyTimeout: Duration = .seconds(1)
    /// How often names are resolved again.
    package var resolveInterval: Duration = .seconds(5)

    // The callee's side

    /// Ordinary requests that run at once.
    package var runningMax = 1_024
    /// Ordinary requests that one connection may have outstanding; the share of `runningMax` when there are several.
    package var windowMax = 512
    /// Parked requests of one connection: more than a gateway may hold, so that what waits for nothing always finds room.
    package var parkedPerConnectionMax = 120_000
    /// Parked requests of all connections.
    package var parkedMax = 400_000
    /// Connections that said HELLO.
    package var sessionsMax = 4_096
    /// How long a drain waits for requests that run.
    package var drainTimeout: Duration = .seconds(10)
    /// How long a callee that has drained waits for its callers to take their last answers and go.
    package var farewellMax: Duration = .seconds(1)
    /// A request with no more time than this is refused as late: nothing could answer it.
    package var deadlineMin: Duration = .milliseconds(1)
    /// The longest that a request runs, whatever its caller allows.
    package var deadlineMax: Duration = .seconds(600)

    // Both

    package var heartbeatInterval: Duration = .seconds(1)
    /// A whole frame: header, extensions and body.
    package var frameBytesMax = 262_144
    /// What one connection, and all of a process's together, may hold of frames that found no room in their sockets.
    package var outboundBytesMax = 16_777_216
    package var outboundBytesTotalMax = 268_435_456
    /// How often the metrics hear what is under way.
    package var figuresInterval: Duration = .seconds(1)
    /// How often the key folder is read again.
    package var keyReadInterval: Duration = .seconds(1)

    package init() {}

    /// A frame less its header and 64 octets for extensions (20) and for what CURVE adds (33): MAXMSGSIZE counts both.
    var bodyBytesMax: Int { frameBytesMax - FrameHeader.bytes - 64 }
    /// Silence after which a peer gets no new work.
    var suspectAfter: Duration { heartbeatInterval * 3 / 2 }
    /// Silence after which a peer counts as dead.
    var deadAfter: Duration { heartbeatInterval * 3 }
}
