package import Wire

/// What a bus tells its metrics; called on the reactor thread, so it must return at once.
package enum BusEvent: Sendable, Hashable {
    case calleeReady(ServiceName, InstanceID)
    case calleeLost(ServiceName, reason: String)
    /// A call was sent again after a loss.
    case retried(ServiceName, method: UInt16)
    /// A call ended without a reply.
    case failed(ServiceName, method: UInt16, ErrorCode)
    /// This process refused a request unexecuted.
    case refusedRequest(method: UInt16, NackReason)
    /// A repeated request waits for the execution that runs.
    case joinedRequest(method: UInt16)
    /// A connection came in. What is no ZeroMQ greeting at all is dropped after that without another event.
    case acceptedConnection
    /// Its key and its service are known.
    case trustedConnection
    /// A connection was refused for its key or mechanism, or did not say them in time.
    case refusedConnection
    /// A caller expected a key of this service that another of its processes has, or had: keys are being exchanged.
    case exchangedKey
    /// A frame that is not of this protocol was dropped.
    case malformedFrame
    /// A reply had no way back to its caller.
    case droppedReply
    /// What is under way now; told every `BusLimits.figuresInterval`.
    case figures(BusFigures)
}

/// What is under way on a bus at one moment.
package struct BusFigures: Sendable, Hashable {
    /// The calls to one service.
    package struct Calls: Sendable, Hashable {
        /// Instances that take work.
        package var ready = 0
        /// In line for an instance with credit.
        package var queued = 0
        /// Sent and not answered, parked ones included.
        package var outstanding = 0
        /// Ordinary calls that may be sent at once, over all instances.
        package var credit: UInt64 = 0
    }

    package var calls: [ServiceName: Calls] = [:]
    /// Ordinary requests of others that run here, and parked ones.
    package var running = 0
    package var parked = 0
    /// Connections of callers that said HELLO.
    package var callers = 0
    /// Bytes of frames that found no room in their sockets.
    package var outboundBytes = 0
}

/// Why a request was refused. A refused request was not executed: it may be sent elsewhere at once.
package enum NackReason: UInt32, Sendable, Hashable, CaseIterable {
    /// No room: more than the credit, or more than may run.
    case busy = 1
    case draining = 2
    /// The deadline had passed on arrival.
    case expired = 3
    /// No handler for the method.
    case noMethod = 4
    /// The caller is not among those that may ask.
    case denied = 5
    /// The connection has not said HELLO, or was forgotten.
    case noSession = 6
}
