/// Frames of one connection that found no room in its socket, in order.
struct OutboundLine {
    private var frames: [[UInt8]] = []
    /// Frames before `head` have been sent; they are cut off when they are half of the array.
    private var head = 0
    private(set) var bytes = 0

    var isEmpty: Bool { head == frames.count }
    var first: [UInt8]? { isEmpty ? nil : frames[head] }

    mutating func append(_ frame: [UInt8]) {
        frames.append(frame)
        bytes += frame.count
    }

    mutating func removeFirst() {
        guard !isEmpty else { return }
        bytes -= frames[head].count
        frames[head] = []
        head += 1
        guard head * 2 > frames.count else { return }
        frames.removeFirst(head)
        head = 0
    }
}

/// The lines of all callers: bounded for each, and for all together, so that who does not read cannot take the memory of the rest.
struct OutboundLines {
    private let limits: BusLimits
    private var lines: [SessionID: OutboundLine] = [:]
    private(set) var bytes = 0

    init(limits: BusLimits) { self.limits = limits }

    var isEmpty: Bool { lines.isEmpty }
    var sessions: [SessionID] { Array(lines.keys) }

    func holds(_ session: SessionID) -> Bool { lines[session] != nil }
    func first(of session: SessionID) -> [UInt8]? { lines[session]?.first }

    /// False when there is no room; nothing is kept then.
    mutating func append(_ frame: [UInt8], for session: SessionID) -> Bool {
        guard (lines[session]?.bytes ?? 0) + frame.count <= limits.outboundBytesMax,
            bytes + frame.count <= limits.outboundBytesTotalMax
        else { return false }
        lines[session, default: OutboundLine()].append(frame)
        bytes += frame.count
        return true
    }

    mutating func removeFirst(of session: SessionID) {
        guard let frame = lines[session]?.first else { return }
        bytes -= frame.count
        lines[session]?.removeFirst()
        if lines[session]?.isEmpty == true { lines[session] = nil }
    }

    mutating func drop(_ session: SessionID) {
        if let line = lines.removeValue(forKey: session) { bytes -= line.bytes }
    }
}
