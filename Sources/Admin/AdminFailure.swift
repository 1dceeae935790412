import ArgumentParser

/// Why a command ends, with the exit code of sysexits.h that says so to scripts.
struct AdminFailure: Error, CustomStringConvertible {
    enum Kind: Int32 {
        case usage = 64
        case badData = 65
        case noInput = 66
        case unavailable = 69
        case cannotWrite = 73
        case tryLater = 75
        case unexpectedReply = 76
        case refused = 77
        case notFound = 78
    }

    let kind: Kind
    /// One sentence.
    let description: String
    /// The gateway's code, to tell apart what a command can mend.
    var code = ""

    init(_ kind: Kind, _ description: String, code: String = "") {
        self.kind = kind
        self.description = description
        self.code = code
    }
}

extension AsyncParsableCommand {
    /// Runs `work`, and ends the process with the failure's sentence and exit code.
    func reporting(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let failure as AdminFailure {
            Output.complain(failure.description)
            throw ExitCode(failure.kind.rawValue)
        }
    }
}
