/// What the ledger has to know of a refused credential.
package protocol CountedRefusal: Sendable {
    /// Refusals of one subject are counted together.
    associatedtype Subject: Hashable, Sendable

    var subject: Subject { get }
    var at: Timestamp { get }
    /// Whether it says where it came from.
    var hasPlace: Bool { get }
}

/// Refused credentials on their way to the audit log: one entry a subject and minute, with how many it stands for, so that whoever guesses
/// fills no store.
///
/// The first one waits for a second: a burst is one entry, and the write is no part of what the guesser's clock sees.
package struct RefusalLedger<Refusal: CountedRefusal>: Sendable {
    package struct Entry: Sendable {
        package fileprivate(set) var count: Int
        package let firstAt: Timestamp
        package fileprivate(set) var lastAt: Timestamp
        /// The latest that says where it came from, or of those that do not the latest: a guesser without a place hides none.
        package fileprivate(set) var shown: Refusal

        fileprivate init(_ refusal: Refusal) {
            (count, firstAt, lastAt, shown) = (1, refusal.at, refusal.at, refusal)
        }

        fileprivate mutating func add(_ later: Entry) {
            count += later.count
            lastAt = max(lastAt, later.lastAt)
            if later.shown.hasPlace || !shown.hasPlace { shown = later.shown }
        }
    }

    private struct Line: Sendable {
        /// Nil: nothing since the last entry.
        var pending: Entry?
        var dueAt: Timestamp

        mutating func add(_ later: Entry) {
            guard var entry = pending else {
                pending = later
                return
            }
            entry.add(later)
            pending = entry
        }
    }

    package let delay: Duration
    package let interval: Duration
    /// Subjects of which something is remembered; refusals of others are left out meanwhile.
    package let subjectsMax: Int
    private var lines: [Refusal.Subject: Line] = [:]
    /// Since it was last told.
    private var leftOut = 0
    private var leftOutToldAt: Timestamp?

    package init(delay: Duration = .seconds(1), interval: Duration = .seconds(60), subjectsMax: Int = 10_000) {
        self.delay = delay
        self.interval = interval
        self.subjectsMax = subjectsMax
    }

    /// When the next entry is due; nil when nothing waits.
    package var nextDue: Timestamp? { lines.values.filter { $0.pending != nil }.map(\.dueAt).min() }

    /// False where there is no room for another subject.
    package mutating func add(_ refusal: Refusal) -> Bool {
        let dueAt = refusal.at + delay
        if var line = lines[refusal.subject] {
            if line.pending == nil { line.dueAt = max(line.dueAt, dueAt) }
            line.add(Entry(refusal))
            lines[refusal.subject] = line
            return true
        }
        if lines.count >= subjectsMax { forget(at: refusal.at) }
        guard lines.count < subjectsMax else {
            leftOut += 1
            return false
        }
        lines[refusal.subject] = Line(pending: Entry(refusal), dueAt: dueAt)
        return true
    }

    /// How many were left out since this last said so: more than none once an interval at most.
    package mutating func takeLeftOut(at now: Timestamp) -> Int {
        if let told = leftOutToldAt, told <= now, now < told + interval { return 0 }
        guard leftOut > 0 else { return 0 }
        defer { (leftOut, leftOutToldAt) = (0, now) }
        return leftOut
    }

    /// Takes what is due, the oldest first, and forgets whose last entry is long past.
    package mutating func takeDue(at now: Timestamp) -> [Entry] {
        forget(at: now)
        var due: [Entry] = []
        for (subject, line) in lines where isDue(line, at: now) {
            guard let entry = line.pending else { continue }
            due.append(entry)
            lines[subject] = Line(pending: nil, dueAt: now + interval)
        }
        return due.sorted { $0.firstAt < $1.firstAt }
    }

    /// Takes everything, due or not: the process ends.
    package mutating func takeAll() -> [Entry] {
        defer { lines = [:] }
        return lines.values.compactMap(\.pending).sorted { $0.firstAt < $1.firstAt }
    }

    /// Entries that were taken and could not be written. They are due with what comes next of their subjects, after a minute: a store that
    /// fails is not asked all the time.
    package mutating func putBack(_ entries: [Entry], at now: Timestamp) {
        for var entry in entries {
            let subject = entry.shown.subject
            var line = lines[subject] ?? Line(pending: nil, dueAt: now + interval)
            if let later = line.pending { entry.add(later) }
            line.pending = entry
            lines[subject] = line
        }
    }

    private mutating func forget(at now: Timestamp) {
        lines = lines.filter { $0.value.pending != nil || !isDue($0.value, at: now) }
    }

    /// A clock that was set back holds nothing up for longer than a right one could.
    private func isDue(_ line: Line, at now: Timestamp) -> Bool { line.dueAt <= now || line.dueAt > now + interval }
}
