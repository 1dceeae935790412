import DeviceAPI
import Wire

/// An import's report while it grows: every problem is counted, the first ones are kept.
struct ImportTally {
    private var created = 0
    private var updated = 0
    private var unchanged = 0
    private var problemCount = 0
    private var problems: [ImportProblemLine] = []

    mutating func add(_ problem: ImportProblemLine) {
        problemCount += 1
        problems.append(problem)
        // Lines come a little out of order, so some more are kept than are shown.
        if problems.count >= 2 * APILimits.importProblemsMax { problems = first }
    }

    mutating func add(_ reply: ImportUsersReply) {
        created += Int(reply.created)
        updated += Int(reply.updated)
        unchanged += Int(reply.unchanged)
        for problem in reply.problems {
            add(
                ImportProblemLine(
                    line: Int(problem.line), code: problem.code, detail: problem.detail, members: problem.members))
        }
    }

    private var first: [ImportProblemLine] {
        Array(problems.sorted { $0.line < $1.line }.prefix(APILimits.importProblemsMax))
    }

    var report: ImportReport {
        ImportReport(
            created: created, updated: updated, unchanged: unchanged, problemCount: problemCount, problems: first)
    }
}

extension ImportProblemLine {
    /// `members` are those of the error that refused the line.
    init(line: Int, code: String, detail: String, members: [String: String]) {
        var parameters = members
        let reason = parameters.removeValue(forKey: "reason")
        self.init(line: line, code: code, detail: detail, reason: reason, parameters: parameters)
    }
}
