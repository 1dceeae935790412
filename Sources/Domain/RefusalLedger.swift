/// Refused passwords on their way to the audit log: one entry a person and minute, with how many it stands for, so that whoever guesses
/// fills no store.
///
/// The first one waits for a second: a burst is one entry, and the write is no part of what the guesser's clock sees. `Refusal` is what an
/// entry tells of the latest of them.
package struct RefusalLedger<Refusal: Sendable>: Sendable {
    package struct Subject: Hashable, Sendable {
        package let tenant: TenantID
        package let person: PersonID

        package init(tenant: TenantID, person: PersonID) {
            self.tenant = tenant
            self.person = person
        }
    }

    package struct Entry: Sendable {
        package let subject: Subject
        package fileprivate(set) var count: Int
        package let firstAt: Timestamp
        package fileprivate(set) var lastAt: Timestamp
        package fileprivate(set) var latest: Refusal
    }

    private struct Line: Sendable {
        /// Nil: nothing since the last entry.
        var pending: Entry?
        var dueAt: Timestamp
    }

    package let delay: Duration
    package let interval: Duration
    /// People of whom something is remembered; refusals of others are left out meanwhile.
    package let peopleMax: Int
    private var lines: [Subject: Line] = [:]

    package init(delay: Duration = .seconds(1), interval: Duration = .seconds(60), peopleMax: Int = 10_000) {
        self.delay = delay
        self.interval = interval
        self.peopleMax = peopleMax
    }

    /// When the next entry is due; nil when nothing waits.
    package var nextDue: Timestamp? { lines.values.filter { $0.pending != nil }.map(\.dueAt).min() }

    /// False where there is no room for another person.
    package mutating func add(_ refusal: Refusal, of subject: Subject, at now: Timestamp) -> Bool {
        if var line = lines[subject] {
            if var entry = line.pending {
                (entry.count, entry.lastAt, entry.latest) = (entry.count + 1, now, refusal)
                line.pending = entry
            } else {
                line.pending = Self.entry(refusal, of: subject, at: now)
                line.dueAt = max(line.dueAt, now + delay)
            }
            lines[subject] = line
            return true
        }
        guard lines.count < peopleMax else { return false }
        lines[subject] = Line(pending: Self.entry(refusal, of: subject, at: now), dueAt: now + delay)
        return true
    }

    /// Takes what is due, the oldest first, and forgets whose last entry is long past.
    package mutating func takeDue(at now: Timestamp) -> [Entry] {
        var due: [Entry] = []
        for (subject, line) in lines {
            // A clock that was set back holds nothing up for longer than a right one could.
            guard line.dueAt <= now || line.dueAt > now + interval else { continue }
            guard let entry = line.pending else {
                lines[subject] = nil
                continue
            }
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

    private static func entry(_ refusal: Refusal, of subject: Subject, at now: Timestamp) -> Entry {
        Entry(subject: subject, count: 1, firstAt: now, lastAt: now, latest: refusal)
    }
}
